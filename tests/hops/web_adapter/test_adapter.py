"""The adapter between a function's Runtime API and an ASGI application."""

import base64
import json
import threading
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
from converse_hops import Function, WebAdapter

from tests.hops.web_adapter.some_app import App

Adapt = Callable[..., Any]
Event = Callable[..., dict[str, Any]]


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "it never came about"
        time.sleep(0.005)


def split(body: bytes) -> tuple[Any, bytes]:
    prelude, _, rest = body.partition(bytes(8))
    return json.loads(prelude), rest


def test_a_response_is_streamed_where_that_is_said(adapt: Adapt, proxy: Event) -> None:
    adapted = adapt(App(), invoke_mode="response_stream")
    prelude, body = split(b"".join(adapted.stream(proxy("/stream"))))
    assert prelude == {
        "statusCode": 200,
        "headers": {"content-type": "text/event-stream"},
        "cookies": ["a=1", "b=2"],
    }
    assert body == b"data: 0\n\ndata: 1\n\ndata: 2\n\n"
    assert adapted.adapter.journal.last.held() == 0


def test_the_prelude_and_the_nuls_are_chunks_of_their_own(adapt: Adapt, proxy: Event) -> None:
    chunks = list(adapt(App(), invoke_mode="response_stream").stream(proxy("/stream")))
    assert json.loads(chunks[0])["statusCode"] == 200
    assert chunks[1:] == [bytes(8), b"data: 0\n\n", b"data: 1\n\n", b"data: 2\n\n"]


def test_it_is_collected_where_nothing_is_said(adapt: Adapt, proxy: Event) -> None:
    adapted = adapt(App())
    error, body = adapted.invoke(proxy("/stream"))
    assert error is None
    assert json.loads(body) == {
        "statusCode": 200,
        "headers": {"content-type": "text/event-stream", "set-cookie": "a=1, b=2"},
        "multiValueHeaders": {"content-type": ["text/event-stream"], "set-cookie": ["a=1", "b=2"]},
        "body": "data: 0\n\ndata: 1\n\ndata: 2\n\n",
        "isBase64Encoded": False,
    }
    adapted.adapter.journal.wait(lambda journal: bool(journal.last.of("passed")))
    journal = adapted.adapter.journal.last
    assert len(journal.of("received")) == 3
    assert len(journal.of("passed")) == 1  # all at once, at the end


def test_payload_2_0_has_its_own_shape(adapt: Adapt, payload: Event) -> None:
    _, body = adapt(App()).invoke(payload("/stream"))
    told = json.loads(body)
    assert told["headers"] == {"content-type": "text/event-stream"}
    assert told["multiValueHeaders"] == {}
    assert told["cookies"] == ["a=1", "b=2"]


def test_what_is_no_text_goes_in_base64(adapt: Adapt, payload: Event) -> None:
    _, body = adapt(App()).invoke(payload("/binary"))
    told = json.loads(body)
    assert told["statusCode"] == 201
    assert told["headers"]["vary"] == "a, b"
    assert (base64.b64decode(told["body"]), told["isBase64Encoded"]) == (b"\x89PNG", True)


@pytest.mark.parametrize("mode", ["buffered", "response_stream"])
def test_an_application_that_raises_first_is_a_500(adapt: Adapt, proxy: Event, mode: str) -> None:
    adapted = adapt(App(), invoke_mode=mode)
    if mode == "buffered":
        told = json.loads(adapted.invoke(proxy("/raises"))[1])
        assert (told["statusCode"], told["body"]) == (500, "Internal Server Error")
    else:
        prelude, body = split(b"".join(adapted.stream(proxy("/raises"))))
        assert (prelude["statusCode"], body) == (500, b"Internal Server Error")


def test_a_failure_in_the_middle_is_written_into_the_body(adapt: Adapt, proxy: Event) -> None:
    adapted = adapt(App(), invoke_mode="response_stream")
    _, body = split(b"".join(adapted.stream(proxy("/breaks"))))
    assert body.startswith(b"data: 0\n\nLambda-Runtime-Function-Error-Type: Runtime.StreamError\r\n")
    told = body.partition(b"Lambda-Runtime-Function-Error-Body: ")[2].removesuffix(b"\r\n")
    assert json.loads(base64.b64decode(told))["errorType"] == "Runtime.StreamError"
    assert adapted.adapter.journal.last.happened("failed")


def test_a_failure_in_the_middle_of_what_is_collected_fails_the_invocation(
    adapt: Adapt, proxy: Event
) -> None:
    error, body = adapt(App()).invoke(proxy("/breaks"))
    assert error == "Unhandled"
    assert "broke off" in json.loads(body)["errorMessage"]


def test_the_request_in_a_proxy_event(adapt: Adapt, proxy: Event) -> None:
    app = App()
    query = {"a": ["1 2", "3"], "b": ["ü"]}
    body = base64.b64encode(b"\xff\x00").decode()
    adapted = adapt(app)
    adapted.invoke(
        proxy("/binary", "PUT", multiValueQueryStringParameters=query, body=body, isBase64Encoded=True)
    )
    scope = app.scopes[-1]
    assert (scope["method"], scope["path"]) == ("PUT", "/binary")
    assert scope["query_string"] == b"a=1+2&a=3&b=%C3%BC"
    assert app.bodies[-1] == b"\xff\x00"
    headers = scope["headers"]
    assert [value for name, value in headers if name == b"accept"] == [b"a", b"b"]
    assert json.loads(dict(headers)[b"x-amzn-request-context"]) == {"stage": "prod", "requestId": "r-1"}
    context = json.loads(dict(headers)[b"x-amzn-lambda-context"])
    assert context["invoked_function_arn"].endswith(":function:function")
    assert context["deadline"] > time.time() * 1000
    assert set(context["env_config"]) == {"function_name", "memory", "version", "log_stream", "log_group"}


def test_the_request_in_payload_2_0(adapt: Adapt, payload: Event) -> None:
    app = App()
    adapt(app).invoke(payload("/binary", rawQueryString="a=%20&a=2", cookies=["c=1", "d=2"], body="{}"))
    scope = app.scopes[-1]
    assert scope["query_string"] == b"a=%20&a=2"
    assert dict(scope["headers"])[b"cookie"] == b"c=1; d=2"
    assert app.bodies[-1] == b"{}"


def test_an_event_that_is_no_request_goes_to_a_path_of_its_own(adapt: Adapt) -> None:
    app = App()
    _, body = adapt(app).invoke({"Records": []})
    assert json.loads(json.loads(body)["body"]) == {"had": '{"Records": []}'}
    assert (app.scopes[-1]["method"], app.scopes[-1]["path"]) == ("POST", "/events")


def test_nothing_is_taken_before_the_application_is_ready(adapt: Adapt, proxy: Event) -> None:
    app = App(unready=3)
    adapt(app).invoke(proxy("/binary"))
    assert [scope["path"] for scope in app.scopes] == ["/"] * 4 + ["/binary"]


def test_a_path_of_ones_own_for_readiness(adapt: Adapt, proxy: Event) -> None:
    app = App()
    adapt(app, readiness_path="/binary").invoke(proxy("/stream"))
    assert [scope["path"] for scope in app.scopes] == ["/binary", "/stream"]


def test_the_lifespan_is_the_adapters(adapt: Adapt, proxy: Event) -> None:
    app = App(lifespan="works")
    adapted = adapt(app)
    adapted.invoke(proxy("/binary"))
    assert app.scopes[-1]["state"] == {"opened": True}
    adapted.adapter.stop()
    assert app.ended[-1] == "lifespan"


def test_a_start_up_that_fails_is_told() -> None:
    threads = threading.active_count()
    with Function() as function:
        adapter = WebAdapter(App(lifespan="fails"), function.runtime_api)
        with pytest.raises(ValueError, match="the application: its start-up failed: no database"):
            adapter.start()
        assert not adapter.running
    assert threading.active_count() == threads


def test_a_runtime_api_that_is_gone_frees_the_application(adapt: Adapt, proxy: Event) -> None:
    app = App()
    adapted = adapt(app, invoke_mode="response_stream")
    with closing(adapted.stream(proxy("/until-left"))) as chunks:
        next(chunks)
        adapted.function.stop()
        until(lambda: "/until-left" in app.ended)


def test_mistakes_are_told() -> None:
    with pytest.raises(ValueError, match="the invoke mode is buffered or response_stream, not 'streaming'"):
        WebAdapter(App(), "127.0.0.1:1", invoke_mode="streaming")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="no application at 'nowhere:app', which should be module:name"):
        WebAdapter("nowhere:app", "127.0.0.1:1")
