"""A request that becomes an event and a request again is the same one."""

import json
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from converse_hops.fronts import payload_v1, payload_v2
from converse_hops.fronts.asked import Asked
from converse_hops.fronts.payload_v1 import Stage
from converse_hops.fronts.payload_v2 import Api
from converse_hops.web_adapter.events import web_request
from converse_hops.web_adapter.messages import WebRequest
from converse_hops.web_adapter.runtime_client import Call
from hypothesis import given
from hypothesis import strategies as st

WORDS = st.text(min_size=1, max_size=8)
VALUES = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=8).map(str.strip)
NAMES = st.sampled_from(["accept", "content-type", "x-own"])

requests = st.builds(
    Asked,
    method=st.sampled_from(["GET", "POST", "PUT"]),
    path=st.lists(WORDS, max_size=3).map(
        lambda parts: "/" + "/".join(quote(part, safe="") for part in parts)
    ),
    query=st.lists(st.tuples(WORDS, WORDS), max_size=3).map(urlencode),
    headers=st.lists(st.tuples(NAMES, VALUES), max_size=4).map(tuple),
    body=st.text().map(str.encode),
    client=st.just("127.0.0.1"),
    port=st.just("80"),
)


def again(event: Any) -> WebRequest:
    return web_request(Call("id", json.dumps(event).encode(), ()))


def own(request: WebRequest) -> list[tuple[str, str]]:
    """The headers of the browser, and none that was added on the way."""
    return sorted(row for row in request.headers if row[0] in ("accept", "content-type", "x-own"))


@given(requests)
def test_by_a_proxy_event(asked: Asked) -> None:
    request = again(payload_v1.event(asked, Stage("abc", "abc.example", "prod")))
    path, _, query = request.target.partition("?")
    assert (request.method, path, request.body) == (asked.method, asked.path, asked.body)
    assert sorted(parse_qsl(query, keep_blank_values=True)) == sorted(asked.pairs)
    assert own(request) == sorted(asked.headers)


@given(requests)
def test_by_payload_2_0(asked: Asked) -> None:
    request = again(payload_v2.event(asked, Api("anonymous", "abc", "abc.example")))
    path, _, query = request.target.partition("?")
    assert (request.method, path, query, request.body) == (
        asked.method,
        asked.path,
        asked.query,
        asked.body,
    )
    joined: dict[str, str] = {}
    for name, value in asked.headers:
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    assert own(request) == sorted(joined.items())
