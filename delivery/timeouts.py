"""Who cuts an answer, when, and what the browser sees: each cell is one run, in Chromium, with faster clocks.

    python -m delivery.timeouts [PATH]     # writes tools/timeouts.json; five minutes

With a path, or a part of its name, the other paths' cells stay as they are.

The handler behind each path keeps no time limits of its own, so that the path's are seen; the reference
handler's own have a row for themselves.
"""

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from converse_contract.case import Limits
from converse_contract.serving import environment, serving
from converse_emulator import Emulator
from converse_hops import (
    CloudFront,
    Function,
    FunctionUrl,
    Hop,
    HttpApi,
    LoadBalancer,
    RestApi,
    WebAdapter,
)
from converse_hops.pace import Pace

from delivery.cells import PHASES, Cell, Look, Phase, Run, Seen
from delivery.chromium import Browser, NoChromium, browsing
from delivery.pushed import over_appsync, over_websocket
from delivery.quiet import Quiet, served

FILE = Path(__file__).parents[1] / "tools" / "timeouts.json"
Origin = Callable[[Pace], AbstractContextManager[Any]]


@contextmanager
def _function(pace: Pace) -> Iterator[Function]:
    with (
        Function(speed=pace.speed) as function,
        WebAdapter(Quiet(pace), function.runtime_api, invoke_mode="response_stream"),
    ):
        yield function


@contextmanager
def _service(pace: Pace) -> Iterator[str]:
    with served(Quiet(pace)) as url:
        yield url


def over_http(origin: Origin, front: Callable[..., Hop], plans: Mapping[Phase, str] = {}) -> Look:
    """A chain of HTTP hops in front of a quiet handler, which does what the phase says, or `plans`."""

    def look(browser: Browser, run: Run) -> tuple[Sequence[Hop], Seen]:
        with origin(Pace(run.speed)) as behind, front(behind, speed=run.speed) as hop:
            return hop.chain, browser.fetch(f"{hop.url}/{plans.get(run.phase, run.phase)}")

    return look


def _rest(function: Function, **options: Any) -> Hop:
    return RestApi(function, "STREAM", **options)


def _edge(function: Function, **options: Any) -> Hop:
    return RestApi(function, "STREAM", edge=True, **options)


def _url(function: Function, **options: Any) -> Hop:
    return FunctionUrl(function, "RESPONSE_STREAM", **options)


def _cloudfront(function: Function, **options: Any) -> Hop:
    return CloudFront(FunctionUrl(function, "RESPONSE_STREAM", **options), **options)


def reference(browser: Browser, run: Run) -> tuple[Sequence[Hop], Seen]:
    """The reference handler with its own limits, by a faster clock; Bedrock is silent, or never ends."""
    pace, usual = Pace(run.speed), Limits()
    limits = replace(usual, first_byte=30.0, heartbeat=pace.real(15), between_bytes=pace.real(30))
    match run.phase:  # the clock in question; the others would only be in a busy machine's way
        case "first":
            limits = replace(usual, first_byte=pace.real(usual.first_byte))
        case "total":
            limits = replace(limits, total=pace.real(usual.total), between_bytes=30.0)
    silence: list[Any] = [{"wait": "forever"}]
    reply = {
        "first": silence,
        "between": [{"text": "It renews on "}, *silence],
        "total": [{"text": "and on " * 2000, "every": f"{pace.real(15) * 1000:g}ms"}],
        "heartbeats": [{"text": "It "}, {"wait": f"{pace.real(25) * 1000:g}ms"}, {"text": "renews."}],
    }
    with Emulator() as emulator:
        bedrock = emulator.session("timeouts")
        bedrock.play(reply[run.phase])
        with serving("converse_handler", "--port", "0", env=environment(bedrock.endpoint_url, limits)) as url:
            asked = json.dumps({"messages": [{"role": "user", "content": "When does it renew?"}]})
            return [], browser.fetch(f"{url}/chat", asked)


def _runs(path: str, look: Look, *speeds: float) -> Iterator[Run]:
    """A run for each phase, at its speed: what has to come in time may be half a second late."""
    return (Run(path, phase, speed, look) for phase, speed in zip(PHASES, speeds, strict=True))


RUNS: tuple[Run, ...] = (
    *_runs("The reference handler itself", reference, 5, 15, 300, 15),
    *_runs("1 REST API, `STREAM`, regional", over_http(_function, _rest), 150, 150, 300, 150),
    *_runs("1 REST API, `STREAM`, edge-optimised", over_http(_function, _edge), 15, 15, 50, 30),
    *_runs("1 HTTP API, as the article has it", over_http(_function, HttpApi), 15, 15, 15, 15),
    *_runs("2 Function URL", over_http(_function, _url), 300, 300, 300, 150),
    *_runs("2 Function URL behind CloudFront", over_http(_function, _cloudfront), 15, 15, 50, 30),
    *_runs("3 WebSocket API", over_websocket, 15, 200, 1200, 400),
    *_runs("4 Load balancer", over_http(_service, LoadBalancer), 30, 30, 100, 90),
    *_runs(
        "5 The illusion, behind a load balancer",
        over_http(_service, LoadBalancer, {"between": "typed", "total": "first"}),
        *(30, 30, 30, 90),
    ),
    *_runs("6 AppSync Events", over_appsync, 400, 400, 20_000, 400),
)


def main(part: str = "") -> int:
    """Write the file; only the cells of paths with `part` in their names are run."""
    stored = [Cell(**each) for each in json.loads(FILE.read_text(encoding="utf-8"))] if part else []
    cells = {(cell.path, cell.phase): cell for cell in stored}
    try:
        with browsing() as browser:
            for run in (run for run in RUNS if part in run.path):
                cells[run.path, run.phase] = cell = run.cell(browser)
                print(f"{cell.path:40} {cell}", flush=True)
    except NoChromium as reason:
        print(reason, file=sys.stderr)
        return 2
    rows = [asdict(cells[run.path, run.phase]) for run in RUNS]
    FILE.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:2]))
