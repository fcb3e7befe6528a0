"""The Node runtime client over our Runtime API, as the SDK sees it: what streams, what its quirks lose."""

import json
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from typing import Any

from converse_hops import Function

from tests.hops.gates import Gates

Node = Callable[[str], Function]
Client = Callable[[Function], Any]
PRELUDE = {"statusCode": 206, "headers": {"content-type": "text/event-stream"}, "cookies": ["a=b"]}
HTTP = "application/vnd.awslambda.http-integration-response"


class Answer:
    """What `invoke_with_response_stream` gives."""

    def __init__(self, response: Any) -> None:
        told = response["ResponseMetadata"]["HTTPHeaders"]
        self.content_type = told.get("x-amzn-remapped-content-type")
        self.complete: Any = None
        self.chunks = self._read(response["EventStream"])

    def body(self) -> bytes:
        return b"".join(self.chunks)

    def _read(self, events: Any) -> Generator[bytes]:
        with closing(events):
            for event in events:
                if "PayloadChunk" in event:
                    yield event["PayloadChunk"]["Payload"]
                else:
                    self.complete = event["InvokeComplete"]


@contextmanager
def invoked(client: Client, function: Function) -> Iterator[Answer]:
    with closing(client(function)) as sdk:
        answer = Answer(sdk.invoke_with_response_stream(FunctionName="function", Payload="{}"))
        with closing(answer.chunks):
            yield answer


def test_each_event_arrives_before_the_next_one_is_let_go(node: Node, client: Client, gates: Gates) -> None:
    with invoked(client, node("streaming")) as answer:
        got = b""
        for number in range(3):
            while b"data: %d\n\n" % number not in got:
                got += next(answer.chunks)
            gates.open(str(number + 1))
        assert answer.body() == b""
        assert answer.content_type == HTTP
    prelude, _, body = got.partition(bytes(8))
    assert json.loads(prelude) == PRELUDE
    assert body == b"id: 0\ndata: 0\n\nid: 1\ndata: 1\n\nid: 2\ndata: 2\n\n"


def test_one_write_is_one_chunk_and_the_prelude_is_two(node: Node, client: Client, gates: Gates) -> None:
    gates.open("1").open("2")
    with invoked(client, node("streaming")) as answer:
        prelude, nuls, *pieces = answer.chunks
    assert json.loads(prelude) == PRELUDE
    assert nuls == bytes(8)
    assert b"".join(pieces).count(b"data: ") == 3


def test_a_failure_in_the_middle_comes_in_trailers_and_nobody_is_told(
    node: Node, client: Client, gates: Gates
) -> None:
    gates.open("1")
    function = node("breaking")
    with invoked(client, function) as answer:
        assert answer.body().endswith(bytes(8) + b"data: 0\n\n")
    assert answer.complete == {}
    (failed,) = function.journal.last.of("failed")
    assert "TypeError" in failed.detail


def test_a_failure_before_the_first_byte_is_an_empty_stream(node: Node, client: Client) -> None:
    """The client has begun its response by then, so it is told in trailers, and nobody is told."""
    function = node("throwing")
    with invoked(client, function) as answer:
        assert answer.body() == b""
    assert answer.complete == {}
    (failed,) = function.journal.last.of("failed")
    assert "TypeError" in failed.detail


def test_what_an_ordinary_handler_throws_is_the_payload_with_its_stack(node: Node, client: Client) -> None:
    with invoked(client, node("ordinaryThrowing")) as answer:
        told = json.loads(answer.body())
    assert (told["errorType"], told["errorMessage"]) == ("TypeError", "boom")
    assert "functions.mjs" in "".join(told["trace"])


def test_a_stream_without_a_prelude_has_a_type(node: Node, client: Client) -> None:
    with invoked(client, node("plain")) as answer:
        assert answer.body() == b"data: 0\n\n"
    assert answer.content_type == "text/event-stream"


def test_nothing_written_is_nothing_at_all(node: Node, client: Client) -> None:
    with invoked(client, node("empty")) as answer:
        assert answer.body() == b""  # the prelude hangs on the first `write`


def test_what_only_end_wrote_comes_without_its_prelude(node: Node, client: Client) -> None:
    with invoked(client, node("endOnly")) as answer:
        assert answer.body() == b"data: 0\n\n"


def test_invoke_gets_prelude_and_body_in_one_piece(node: Node, client: Client, gates: Gates) -> None:
    gates.open("1").open("2")
    with closing(client(node("streaming"))) as sdk:
        response = sdk.invoke(FunctionName="function", Payload="{}")
        prelude, _, body = response["Payload"].read().partition(bytes(8))
    assert "FunctionError" not in response
    assert json.loads(prelude) == PRELUDE
    assert body.count(b"data: ") == 3
