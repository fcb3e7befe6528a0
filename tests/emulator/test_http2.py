"""HTTP/2 under load: many streams on one connection, and bodies that no window holds."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from converse_emulator import Emulator
from converse_emulator.framing.eventstream import Decoder

from tests.h2_client import H2Client, Stream, h2_client

MODEL = "anthropic.claude-3-haiku-20240307-v1:0"
AT_ONCE = 128  # streams of a connection that zttp admits; a client keeps further requests back
MANY_MB = 6_000_000


@pytest.fixture(params=["http", "https"])
def emulator(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Emulator]:
    monkeypatch.setattr("platformdirs.user_data_path", lambda name: tmp_path / name)
    with Emulator(tls=request.param == "https", validation="model") as emulator:
        yield emulator


def ask(client: H2Client, prompt: str, *, operation: str = "converse-stream", base: str = "") -> Stream:
    body = json.dumps({"messages": [{"role": "user", "content": [{"text": prompt}]}]}).encode()
    return client.request(f"{base}/model/{MODEL}/{operation}", body)


def text_of(stream: Stream) -> str:
    events = [json.loads(message.payload) for message in Decoder().feed(bytes(stream.body))]
    return "".join(event["delta"]["text"] for event in events if "delta" in event)


def test_as_many_streams_as_a_connection_admits_are_all_open_at_once(emulator: Emulator) -> None:
    with h2_client(emulator.endpoint_url, emulator.ca_bundle) as client:
        streams = []
        for number in range(AT_ONCE):
            emulator.session(f"s{number}").play(
                [{"text": f"Before {number}, "}, {"gate": "g"}, {"text": "after"}]
            )
            streams.append(ask(client, "Hi", base=f"/session/s{number}"))
        client.until(lambda: all(len(Decoder().feed(bytes(stream.body))) >= 2 for stream in streams))
        assert not any(stream.end for stream in streams)
        for number in reversed(range(AT_ONCE)):
            emulator.session(f"s{number}").open_gate("g")
        client.until(lambda: all(stream.end for stream in streams))
    assert {stream.end for stream in streams} == {"END_STREAM"}
    assert [text_of(stream) for stream in streams] == [f"Before {n}, after" for n in range(AT_ONCE)]


def test_hundreds_of_requests_follow_each_other_on_one_connection(emulator: Emulator) -> None:
    with h2_client(emulator.endpoint_url, emulator.ca_bundle) as client:
        streams: list[Stream] = []
        while len(streams) < 400 or not all(stream.end for stream in streams):
            while len(streams) < 400 and client.connection.open_outbound_streams < AT_ONCE:
                streams.append(ask(client, f"Question {len(streams)}", operation="converse"))
            client.step()
    assert {(stream.status, stream.end) for stream in streams} == {(200, "END_STREAM")}
    assert len(emulator.journal) == 400


def test_a_request_of_many_megabytes(emulator: Emulator) -> None:
    prompt = "word " * (MANY_MB // 5)
    with h2_client(emulator.endpoint_url, emulator.ca_bundle) as client:
        stream = ask(client, prompt, operation="converse")
        client.until(lambda: stream.end)
    assert stream.status == 200
    assert emulator.journal.last.request["body"]["messages"][0]["content"][0]["text"] == prompt


def test_a_response_of_many_megabytes_beside_a_small_one(emulator: Emulator) -> None:
    answer = "word " * (MANY_MB // 5)
    emulator.play([{"text": answer, "split": "whole"}])
    with h2_client(emulator.endpoint_url, emulator.ca_bundle) as client:
        big = ask(client, "Tell me everything", base="/session/default")
        small = ask(client, "Hi", operation="converse", base="/session/another")
        client.until(lambda: big.end and small.end)
    assert (small.status, small.end, big.status, big.end) == (200, "END_STREAM", 200, "END_STREAM")
    assert text_of(big) == answer


NODE = """
const session = require("node:http2").connect(process.argv[1]);
let open = 300, statuses = {};
for (let number = 0; number < 300; number++) {
  const stream = session.request({ ":method": "POST", ":path": process.argv[2] });
  const count = (status) => (statuses[status] = (statuses[status] ?? 0) + 1);
  stream.on("response", (headers) => count(headers[":status"]));
  stream.on("error", (error) => count(error.code));
  stream.on("data", () => {});
  stream.on("close", () => --open || (session.close(), console.log(JSON.stringify(statuses))));
  stream.end(process.argv[3]);
}
"""


def test_nodes_client_asks_hundreds_of_times_at_once_on_one_connection(emulator: Emulator) -> None:
    """What is beyond the server's limit, Node keeps back by itself."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("there is no node here")
    body = json.dumps({"messages": [{"role": "user", "content": [{"text": "Hi"}]}]})
    path = f"/model/{MODEL}/converse-stream"
    trust = {"NODE_EXTRA_CA_CERTS": str(emulator.ca_bundle)} if emulator.ca_bundle else {}
    done = subprocess.run(
        [node, "-e", NODE, emulator.endpoint_url, path, body],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, **trust},
    )
    assert (done.stderr, json.loads(done.stdout)) == ("", {"200": 300})
    assert len(emulator.journal) == 300
