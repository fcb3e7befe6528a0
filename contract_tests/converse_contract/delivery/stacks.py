"""Which hops are on a path: one function a path, which starts them in front of what is there already."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from converse_hops import (
    BufferingProxy,
    CloudFront,
    Function,
    FunctionUrl,
    Hop,
    HttpApi,
    LoadBalancer,
    RestApi,
    WebAdapter,
)

from converse_contract.delivery.path import LONGEST, Tuning

if TYPE_CHECKING:
    from converse_contract.delivery.wiring import Wiring

ADAPTERS = 2  # invocations at a time: an adapter takes one after the other


@dataclass(frozen=True, slots=True)
class Placed:
    """One place on a path: a hop, or several that do the same, with its switch. `HopState` has the words.

    `shared`: not all that passes there belongs to whoever opened this path.
    """

    name: str
    hops: tuple[Hop, ...]
    setting: str = ""
    remedy: str = ""
    shared: bool = False


Stack = tuple[str, tuple[Placed, ...]]  # the far end's URL, and the hops from there on


def passages_of(placed: Sequence[Placed], called: Sequence[str]) -> Iterator[tuple[Placed, list[Any]]]:
    """Each place with the passages of one session, which has these names.

    Whoever invokes a function hands the trace on; WebSockets and channels have a name in theirs.
    """
    names = set(called)
    for place in placed:
        passages = [passage for hop in place.hops for passage in hop.journal]
        if place.shared:
            passages = [
                passage
                for passage in passages
                if any(name in record.detail for record in passage.records for name in names)
            ]
        names |= {
            word
            for passage in passages
            for record in passage.of("received", "up")
            for word in record.detail.split()
        }
        yield place, passages


def _lambda(function: Function) -> Placed:
    return Placed("Lambda service", (function,), shared=True)


def _in_front(wiring: "Wiring", tuning: Tuning, stack: ExitStack) -> tuple[FunctionUrl, Function, Placed]:
    function = wiring.function(tuning)
    mode, other = ("BUFFERED", "RESPONSE_STREAM") if tuning.forget else ("RESPONSE_STREAM", "")
    url = FunctionUrl(function, mode, speed=tuning.speed(wiring.path))  # type: ignore[arg-type]
    placed = Placed("function URL", (url,), f"InvokeMode: {mode}", other and f"InvokeMode: {other}")
    return stack.enter_context(url), function, placed


def _function_url(wiring: "Wiring", tuning: Tuning, stack: ExitStack) -> Stack:
    url, function, placed = _in_front(wiring, tuning, stack)
    return url.url, (placed, _lambda(function))


def _cloudfront(wiring: "Wiring", tuning: Tuning, stack: ExitStack) -> Stack:
    url, function, placed = _in_front(wiring, tuning, stack)
    distribution = stack.enter_context(CloudFront(url, speed=tuning.speed(wiring.path)))
    return distribution.url, (Placed("CloudFront", (distribution,)), placed, _lambda(function))


def _rest_api(wiring: "Wiring", tuning: Tuning, stack: ExitStack) -> Stack:
    function = wiring.function(tuning)
    mode, other = ("BUFFERED", "STREAM") if tuning.forget else ("STREAM", "")
    api = RestApi(function, mode, edge=True, speed=tuning.speed(wiring.path))  # type: ignore[arg-type]
    remedy = other and f"responseTransferMode: {other}, and the integration's URI with /2021-11-15/"
    placed = Placed("REST API", (api,), f"responseTransferMode: {mode}", remedy)
    return stack.enter_context(api).url, (placed, _lambda(function))


def _http_api(wiring: "Wiring", tuning: Tuning, stack: ExitStack) -> Stack:
    function = wiring.function(tuning)
    api = stack.enter_context(HttpApi(function, speed=tuning.speed(wiring.path)))
    remedy = (
        "a REST API with responseTransferMode: STREAM, or a function URL with InvokeMode: RESPONSE_STREAM"
    )
    return api.url, (
        Placed("HTTP API", (api,), "no response streaming, which it does not have", remedy),
        _lambda(function),
    )


def _web_adapter(wiring: "Wiring", tuning: Tuning, stack: ExitStack) -> Stack:
    speed = tuning.speed(wiring.path)
    service = wiring.service()
    function = stack.enter_context(Function(timeout=tuning.total or LONGEST))
    url = stack.enter_context(FunctionUrl(function, "RESPONSE_STREAM", speed=speed))
    mode, other = ("buffered", "response_stream") if tuning.forget else ("response_stream", "")
    adapters = tuple(
        stack.enter_context(WebAdapter(service, function.runtime_api, invoke_mode=mode))  # type: ignore[arg-type]
        for _ in range(ADAPTERS)
    )
    setting, remedy = f"AWS_LWA_INVOKE_MODE={mode}", other and f"AWS_LWA_INVOKE_MODE={other}"
    return url.url, (
        Placed("function URL", (url,), "InvokeMode: RESPONSE_STREAM"),
        Placed("Lambda service", (function,)),
        Placed("Lambda Web Adapter", adapters, setting, remedy),
    )


def _load_balancer(wiring: "Wiring", tuning: Tuning, stack: ExitStack) -> Stack:
    balancer = stack.enter_context(LoadBalancer(wiring.service(), speed=tuning.speed(wiring.path)))
    return balancer.url, (Placed("load balancer", (balancer,)),)


def _proxy(wiring: "Wiring", tuning: Tuning, stack: ExitStack) -> Stack:
    speed = tuning.speed(wiring.path)
    proxy = stack.enter_context(BufferingProxy(wiring.service(), ignore_accel=tuning.forget, speed=speed))
    balancer = stack.enter_context(LoadBalancer(proxy, speed=speed))
    setting = "proxy_buffering on" + ", proxy_ignore_headers X-Accel-Buffering" * tuning.forget
    remedy = "X-Accel-Buffering: no in the response and heard, or proxy_buffering off"
    return balancer.url, (
        Placed("load balancer", (balancer,)),
        Placed("proxy", (proxy,), setting, remedy),
    )


def _websocket(wiring: "Wiring", tuning: Tuning, _: ExitStack) -> Stack:
    api = wiring.websocket(tuning)
    return api.far_end, (Placed("WebSocket API", (api.hop,), shared=True),)


def _appsync(wiring: "Wiring", tuning: Tuning, _: ExitStack) -> Stack:
    api = wiring.event_api(tuning)
    return api.far_end, (Placed("Event API", (api.hop,), shared=True),)


STACKS: Mapping[str, Callable[["Wiring", Tuning, ExitStack], Stack]] = {
    "function-url": _function_url,
    "rest-api": _rest_api,
    "http-api": _http_api,
    "web-adapter": _web_adapter,
    "cloudfront": _cloudfront,
    "load-balancer": _load_balancer,
    "proxy": _proxy,
    "websocket": _websocket,
    "appsync": _appsync,
}
