"""What boto3 makes of every error response, over a real socket."""

from collections.abc import Iterator
from http.client import responses as reasons
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Thread
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from converse_emulator.http.refusals import REFUSALS
from converse_emulator.http.responses import Response, error_response, http_date, json_response
from converse_emulator.playing.acts import HttpHeaders

ID = "9f2f6b0e-7c56-4d0f-8c9a-1a2b3c4d5e6f"
DATE = http_date(1742522660)
HELLO: dict[str, Any] = {
    "modelId": "anthropic.claude-3-5-sonnet-20240620-v1:0",
    "messages": [{"role": "user", "content": [{"text": "Hello"}]}],
}


class Canned(ThreadingTCPServer):
    """Answers every request with `response`."""

    daemon_threads = True
    response: Response


class Answer(StreamRequestHandler):
    server: Canned

    def handle(self) -> None:
        while head := self.rfile.readline():
            assert head.startswith(b"POST ")
            length = 0
            while (line := self.rfile.readline()) != b"\r\n":
                if line.lower().startswith(b"content-length:"):
                    length = int(line.partition(b":")[2])
            self.rfile.read(length)
            self.wfile.write(written(self.server.response))


def written(response: Response) -> bytes:
    """A response as HTTP/1.1."""
    headers: HttpHeaders = response.headers
    lines = [f"HTTP/1.1 {response.status} {reasons[response.status]}", *(f"{n}: {v}" for n, v in headers)]
    return "\r\n".join([*lines, "", ""]).encode() + response.body


@pytest.fixture(scope="module")
def server() -> Iterator[Canned]:
    with Canned(("127.0.0.1", 0), Answer) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def client(server: Canned) -> Iterator[Any]:
    host, port = server.server_address[:2]
    client = boto3.Session(
        aws_access_key_id="AKIDEXAMPLE", aws_secret_access_key="secret", region_name="us-east-1"
    ).client(
        "bedrock-runtime",
        endpoint_url=f"http://{host!s}:{port}",
        config=Config(retries={"total_max_attempts": 1}, read_timeout=30),
    )
    yield client
    client.close()


def raised_by(call: Any) -> ClientError:
    with pytest.raises(ClientError) as raised:
        call(**HELLO)
    error: ClientError = raised.value
    return error


@pytest.mark.parametrize("operation", ["converse", "converse_stream"])
@pytest.mark.parametrize("name", sorted(REFUSALS))
def test_boto3_raises_every_refusal_with_its_code_and_text(
    server: Canned, client: Any, name: str, operation: str
) -> None:
    refusal = REFUSALS[name]
    server.response = error_response(name, request_id=ID, date=DATE)

    error = raised_by(getattr(client, operation))

    assert error.response["Error"]["Code"] == refusal.code
    assert error.response["Error"]["Message"] == refusal.text
    assert error.response["ResponseMetadata"]["HTTPStatusCode"] == refusal.status
    assert error.response["ResponseMetadata"]["RequestId"] == ID
    # What the model lists has a class of its own; what is refused before Bedrock saw it has none.
    modelled = refusal.code in client.meta.service_model.shape_names
    assert type(error) is (getattr(client.exceptions, refusal.code) if modelled else ClientError)


def test_boto3_shows_a_scenarios_own_text_in_any_script(server: Canned, client: Any) -> None:
    text = 'Später: "✓"\n😀'
    server.response = error_response("ThrottlingException", message=text, request_id=ID, date=DATE)
    error = raised_by(client.converse)
    assert isinstance(error, client.exceptions.ThrottlingException)
    assert error.response["Error"]["Message"] == text


def test_an_unlisted_refusal_is_a_plain_client_error(server: Canned, client: Any) -> None:
    server.response = error_response("TiredException", status=429, request_id=ID, date=DATE)
    error = raised_by(client.converse)
    assert (type(error), error.response["Error"]["Code"]) == (ClientError, "TiredException")


def test_boto3_reads_a_json_response(server: Canned, client: Any) -> None:
    body = {
        "output": {"message": {"role": "assistant", "content": [{"text": "Hi ü"}]}},
        "stopReason": "end_turn",
        "usage": {"inputTokens": 1, "outputTokens": 2, "totalTokens": 3},
        "metrics": {"latencyMs": 4},
    }
    server.response = json_response(body, request_id=ID, date=DATE)
    answer = client.converse(**HELLO)
    assert answer.pop("ResponseMetadata")["RequestId"] == ID
    assert answer == body
