"""Sessions and scenarios are read out of paths, headers, markers and credentials."""

from typing import Any

import pytest
from converse_emulator.choosing.request import Request
from converse_emulator.choosing.selectors import Named, Route, named_scenario, route, session_of


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/model/m/converse", Route(None, None, "/model/m/converse")),
        ("/session/s1/model/m/converse", Route("s1", None, "/model/m/converse")),
        ("/scenario/text/hello/model/m/converse", Route(None, "text/hello", "/model/m/converse")),
        ("/session/s/scenario/a/b/model/m/converse", Route("s", "a/b", "/model/m/converse")),
        ("/session/a%20b/scenario/a%2Fb/model/m%3A0/converse", Route("a b", "a/b", "/model/m%3A0/converse")),
        ("/scenario/refusals/model-error/model/m/x", Route(None, "refusals/model-error", "/model/m/x")),
        ("/scenario/deep/er/still/model/m/converse", Route(None, "deep/er/still", "/model/m/converse")),
        (
            "/model/arn:x/session/s/model/y/converse",
            Route(None, None, "/model/arn:x/session/s/model/y/converse"),
        ),
        ("/model/m/converse?x=/session/y/model/", Route(None, None, "/model/m/converse?x=/session/y/model/")),
        ("/session//model/m/converse", Route(None, None, "/session//model/m/converse")),
        ("/scenario/model/m/converse", Route(None, None, "/scenario/model/m/converse")),
        ("/scenario/a/b/session/s/model/m/x", Route(None, "a/b/session/s", "/model/m/x")),
        ("/session/s", Route(None, None, "/session/s")),
        ("/other/model/m/converse", Route(None, None, "/other/model/m/converse")),
        ("", Route(None, None, "")),
    ],
)
def test_a_path_is_base_and_rest(path: str, expected: Route) -> None:
    assert route(path) == expected


def body(*texts: str) -> dict[str, Any]:
    roles = ("user", "assistant")
    return {"messages": [{"role": roles[i % 2], "content": [{"text": text}]} for i, text in enumerate(texts)]}


SIGNED = {"authorization": "AWS4-HMAC-SHA256 Credential=AKID/20261123/us-east-1/bedrock/aws4_request, Sign=x"}


@pytest.mark.parametrize(
    ("path", "headers", "said", "session"),
    [
        ("/session/p/model/m/x", SIGNED, body("[[session: q]]"), "p"),
        ("/model/m/x", SIGNED, body("Hi [[session: q]] [[ session:r ]]"), "r"),
        ("/model/m/x", SIGNED, body("[[session: q]]", "Hi", "Hi"), "AKID"),
        ("/model/m/x", SIGNED, body("Hi", "[[session: q]]"), "AKID"),
        (
            "/model/m/x",
            {"authorization": "AWS4-ECDSA-P256-SHA256 Credential=K2/20261123/bedrock/x"},
            body("Hi"),
            "K2",
        ),
        (
            "/model/m/x",
            {"authorization": "AWS4-HMAC-SHA256 SignedHeaders=host, Credential=K3/x"},
            body("Hi"),
            "K3",
        ),
        ("/model/m/x", {"authorization": "Bearer secret/token"}, body("Hi"), "default"),
        ("/model/m/x", {"authorization": "Basic Credential=K/x"}, body("Hi"), "default"),
        ("/model/m/x", {}, {}, "default"),
    ],
)
def test_a_session_is_named(path: str, headers: dict[str, str], said: dict[str, Any], session: str) -> None:
    assert session_of(route(path), headers, said) == session


def request(*texts: str, header: str = "", path: str | None = None) -> Request:
    return Request("ConverseStream", "m", {"x-converse-scenario": header}, body(*texts), scenario=path)


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        (request("[[scenario: a/m]]", header="a/h", path="a/p"), Named("a/p", "path")),
        (request("[[scenario: a/m]]", header="a/h"), Named("a/h", "header")),
        (request("Hi [[scenario: a/m]] there"), Named("a/m", "marker", 0)),
        (request("[[scenario: a/m]] [[scenario:b/m]]"), Named("b/m", "marker", 0)),
        (request("[[scenario: a/m]]", "Hi", "[[scenario: b/m]]", "Hi", "Hi"), Named("b/m", "marker", 2)),
        (request("Hi", "[[scenario: a/m]]"), None),
        (request("[[scenario: ]] [[scenario a]] [scenario: a]"), None),
    ],
)
def test_a_scenario_is_named(asked: Request, named: Named | None) -> None:
    assert named_scenario(asked) == named
