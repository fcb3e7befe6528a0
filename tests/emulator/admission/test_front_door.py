"""Strict authentication and quotas over real sockets, with real clients."""

import asyncio
import hashlib
import http.client
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import boto3
import pytest
import zttp
from aiobotocore.session import get_session
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials as Keys
from botocore.exceptions import ClientError
from converse_emulator import Emulator

MODEL = "anthropic.claude-3-haiku-20240307-v1:0"
PROFILE = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-lite-v1:0"
HELLO: list[dict[str, Any]] = [{"role": "user", "content": [{"text": "Grüße 😀"}]}]
BODY = json.dumps({"messages": HELLO}).encode()
FILE = """
access_keys:
  AKIDLONG: {secret: long}
  ASIASHORT: {secret: short, session_token: tok/en+==}
  ASIAEXPIRED: {secret: short, session_token: tok, expires: "2020-01-01"}
  AKIDNOVA: {secret: nova, policy: [{allow: ["bedrock:*"], models: ["amazon.nova-*"]}]}
api_keys:
  ABSKgood: {}
"""


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    file = tmp_path_factory.mktemp("auth") / "credentials.yaml"
    file.write_text(FILE)
    with Emulator(credentials=file) as running:
        yield running


def keys(key: str = "AKIDLONG", secret: str = "long", token: str | None = None) -> dict[str, Any]:
    return {
        "aws_access_key_id": key,
        "aws_secret_access_key": secret,
        "aws_session_token": token,
        "region_name": "eu-west-1",
    }


def client(url: str, **given: Any) -> Any:
    config = Config(signature_version="v4", proxies={}, retries={"total_max_attempts": 1})
    return boto3.client("bedrock-runtime", endpoint_url=url, config=config, **{**keys(), **given})


def refusal(emulator: Emulator, model_id: str = MODEL, **given: Any) -> tuple[int, str, str]:
    with closing(client(emulator.endpoint_url, **given)) as bedrock, pytest.raises(ClientError) as refused:
        bedrock.converse(modelId=model_id, messages=HELLO)
    response = refused.value.response
    return (
        response["ResponseMetadata"]["HTTPStatusCode"],
        response["Error"]["Code"],
        response["Error"]["Message"],
    )


# ---------------------------------------------------------------------------------------- strict: let in


@pytest.mark.parametrize("given", [keys(), keys("ASIASHORT", "short", "tok/en+==")])
@pytest.mark.parametrize("model_id", [MODEL, PROFILE, "us.amazon.nova-lite-v1:0"])
@pytest.mark.parametrize("base", ["", "/session/a%20b", "/session/x/scenario/text/short-answer"])
def test_boto3_is_let_in(emulator: Emulator, given: dict[str, Any], model_id: str, base: str) -> None:
    with closing(client(f"{emulator.endpoint_url}{base}", **given)) as bedrock:
        answer = bedrock.converse(modelId=model_id, messages=HELLO)
        events = [*bedrock.converse_stream(modelId=model_id, messages=HELLO)["stream"]]
        assert answer["stopReason"]
        assert "metadata" in events[-1]


def test_parameters_of_a_query_are_signed(emulator: Emulator) -> None:
    config = Config(signature_version="v4", proxies={})
    bedrock = boto3.client("bedrock", endpoint_url=emulator.endpoint_url, config=config, **keys())
    with closing(bedrock):
        found = bedrock.list_foundation_models(byProvider="Amazon", byOutputModality="TEXT")
    assert found["modelSummaries"]


def test_aiobotocore_is_let_in(emulator: Emulator) -> None:
    async def answered() -> str:
        config = Config(signature_version="v4", proxies={})
        session: Any = get_session()
        async with session.create_client(
            "bedrock-runtime", endpoint_url=emulator.endpoint_url, config=config, **keys()
        ) as bedrock:
            response = await bedrock.converse(modelId=PROFILE, messages=HELLO)
            return str(response["stopReason"])

    assert asyncio.run(answered())


def test_a_presigned_url_is_let_in(emulator: Emulator) -> None:
    url = f"{emulator.endpoint_url}/model/{MODEL.replace(':', '%3A')}/converse"
    request: Any = AWSRequest("POST", url, data=BODY)
    signer = SigV4QueryAuth(Keys("AKIDLONG", "long"), "bedrock", "eu-west-1")
    signer.payload = lambda _: hashlib.sha256(BODY).hexdigest()  # botocore would move the body to the query
    request.data = None
    signer.add_auth(request)
    path = request.url.removeprefix(emulator.endpoint_url)
    assert ask(emulator, path, {}).status == 200
    assert ask(emulator, path.replace("X-Amz-Signature=", "X-Amz-Signature=0"), {}).status == 403


@pytest.mark.parametrize(
    ("authorization", "status"), [("Bearer ABSKgood", 200), ("bearer ABSKgood", 200), ("Bearer ABSKbad", 403)]
)
def test_an_api_key_is_let_in(emulator: Emulator, authorization: str, status: int) -> None:
    answer = ask(emulator, f"/model/{MODEL}/converse", {"Authorization": authorization})
    assert answer.status == status


def test_over_http2_the_signed_authority_is_the_host(emulator: Emulator) -> None:
    """As the JavaScript SDK's default client signs."""
    host = emulator.endpoint_url.removeprefix("http://")
    path = f"/model/{MODEL.replace(':', '%3A')}/converse"
    assert over_http2(host, path, signed_for_http2(host, path)) == 200
    assert over_http2(host, path, signed_for_http2("elsewhere:80", path)) == 403


def signed_for_http2(host: str, path: str) -> list[tuple[bytes, bytes]]:
    class Signer(SigV4Auth):  # type: ignore[misc]
        def headers_to_sign(self, request: Any) -> Any:
            headers = super().headers_to_sign(request)
            del headers["host"]
            return headers

    request: Any = AWSRequest("POST", f"http://{host}{path}", data=BODY, headers={":authority": host})
    Signer(Keys("AKIDLONG", "long"), "bedrock", "us-east-1").add_auth(request)
    return [(n.lower().encode(), v.encode()) for n, v in request.headers.items() if n != ":authority"]


def over_http2(host: str, path: str, headers: list[tuple[bytes, bytes]]) -> int:
    h2 = zttp.Connection(zttp.CLIENT, protocol=zttp.HTTP2)
    h2.initiate_connection()
    stream = h2.send_request(b"POST", path.encode(), b"2", [(b"host", host.encode()), *headers])
    stream.send_data(BODY)
    stream.end_message()
    address = host.split(":")
    with socket.create_connection((address[0], int(address[1])), timeout=30) as connection:
        while True:
            connection.sendall(h2.data_to_send())
            h2.receive_data(connection.recv(65536))
            while (event := h2.next_event()) is not zttp.NEED_DATA:
                if isinstance(event, zttp.Response):
                    return event.status_code


# ------------------------------------------------------------------------------------- strict: refused


@pytest.mark.parametrize(
    ("given", "code", "text"),
    [
        (
            keys(secret="other"),
            "InvalidSignatureException",
            "The request signature we calculated does not match",
        ),
        (
            keys("AKIDNOBODY"),
            "UnrecognizedClientException",
            "The security token included in the request is inv",
        ),
        (
            keys("ASIASHORT", "short", "other"),
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
        ),
        (
            keys("ASIAEXPIRED", "short", "tok"),
            "ExpiredTokenException",
            "The security token included in the request is expired",
        ),
        (
            keys("AKIDNOVA", "nova"),
            "AccessDeniedException",
            "User: arn:aws:iam::123456789012:user/developer is not authorized to perform: "
            "bedrock:InvokeModel on resource: "
            f"arn:aws:bedrock:eu-west-1::foundation-model/{MODEL} "
            "because no identity-based policy allows the bedrock:InvokeModel action",
        ),
    ],
)
def test_boto3_is_refused(emulator: Emulator, given: dict[str, Any], code: str, text: str) -> None:
    status, found, message = refusal(emulator, **given)
    assert (status, found) == (403, code)
    assert message.startswith(text)


def test_a_denial_is_spelt_with_a_capital_m(emulator: Emulator) -> None:
    answer = ask(emulator, f"/model/{MODEL}/converse", {})
    assert (answer.status, answer.read()) == (403, b'{"Message":"Authorization header is missing"}')
    assert answer.getheader("x-amzn-ErrorType") == (
        "AccessDeniedException:http://internal.amazon.com/coral/com.amazon.coral.service/"
    )


def test_who_is_refused_is_told_nothing_else(emulator: Emulator) -> None:
    """Authentication comes before everything that the body could be wrong by."""
    emulator.reset()
    answer = ask(emulator, f"/model/{MODEL}/converse", {}, b"no JSON")
    assert answer.status == 403
    exchange = emulator.journal.last
    assert (exchange.status, exchange.ended, exchange.miss) == (403, "refused", None)
    assert not any(act.injected for act in exchange.acts)


def test_without_credentials_anybody_is_let_in() -> None:
    with Emulator() as anybody:
        assert ask(anybody, f"/model/{MODEL}/converse", {"Authorization": "nonsense"}).status == 200


def ask(
    emulator: Emulator, path: str, headers: dict[str, str], body: bytes = BODY
) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection(emulator.endpoint_url.removeprefix("http://"), timeout=30)
    with closing(connection):
        connection.request("POST", path, body, headers)
        response = connection.getresponse()
        content = response.read()
    response.read = lambda *_: content  # type: ignore[method-assign]
    return response


# ---------------------------------------------------------------------------------------------- quotas


def outcome(bedrock: Any, **more: Any) -> str:
    """`answered`, or code, status and text of the error."""
    try:
        bedrock.converse(modelId=MODEL, messages=HELLO, **more)
    except ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        return f"{error.response['Error']['Code']} {status} {error.response['Error']['Message']}"
    return "answered"


REQUESTS = "ThrottlingException 429 Too many requests, please wait before trying again."
TOKENS = "ThrottlingException 429 Too many tokens, please wait before trying again."
CONNECTIONS = "ServiceUnavailableException 503 Too many connections, please wait before trying again."


def test_requests_are_throttled_and_recover() -> None:
    """At sixty times the speed a minute is a second."""
    with Emulator(quotas="anthropic.*:rpm=2", speed=60) as emulator:
        with closing(client(emulator.endpoint_url)) as bedrock:
            assert [outcome(bedrock) for _ in range(3)] == ["answered", "answered", REQUESTS]
            exchange = emulator.journal.last
            time.sleep(0.6)  # more than half a second brings one of two back
            assert outcome(bedrock) == "answered"
        with closing(client(emulator.endpoint_url, **keys("AKIDOTHER"))) as other:
            assert outcome(other) == "answered"  # another session, another account
    assert (exchange.status, exchange.ended, exchange.chosen_by) == (429, "refused", "quota")
    assert all(act.injected for act in exchange.acts)
    assert any("quota anthropic.*: 0." in act.what for act in exchange.acts)
    assert any("of 2 requests a minute are left" in act.what for act in exchange.acts)


def test_tokens_are_reserved_settled_and_reset() -> None:
    with Emulator(quotas=["*:tpm=2000"]) as emulator, closing(client(emulator.endpoint_url)) as bedrock:
        for _ in range(3):  # each reserves nearly all, and uses few
            emulator.session("AKIDLONG").play("Hi")
            assert outcome(bedrock, inferenceConfig={"maxTokens": 1900}) == "answered"
        assert outcome(bedrock) == TOKENS  # without maxTokens, the model's 4096 are reserved
        emulator.session("AKIDLONG").play([{"text": "word " * 1500}])
        assert outcome(bedrock, inferenceConfig={"maxTokens": 1800}) == "answered"
        assert outcome(bedrock, inferenceConfig={"maxTokens": 1800}) == TOKENS
        emulator.reset()
        emulator.session("AKIDLONG").play("Hi")
        assert outcome(bedrock, inferenceConfig={"maxTokens": 1800}) == "answered"


def test_an_invalid_request_costs_no_tokens() -> None:
    with Emulator(quotas=["*:tpm=1000"]) as emulator:
        bad = json.dumps({"messages": HELLO, "inferenceConfig": {"maxTokens": 900, "topP": 7}}).encode()
        for _ in range(3):
            assert ask(emulator, f"/model/{MODEL}/converse", {}, bad).status == 400


def test_too_many_at_a_time_are_too_many_connections() -> None:
    with Emulator(quotas=["*:concurrent=1"]) as emulator, closing(client(emulator.endpoint_url)) as bedrock:
        session = emulator.session("AKIDLONG")
        session.play([{"text": "Wait"}, {"gate": "go"}, {"text": " for it"}])
        session.play("Hi")
        stream = iter(bedrock.converse_stream(modelId=MODEL, messages=HELLO)["stream"])
        assert "messageStart" in next(stream)
        assert outcome(bedrock) == CONNECTIONS
        session.open_gate("go")
        assert "metadata" in [*stream][-1]
        emulator.journal.wait(2)
        assert outcome(bedrock) == "answered"


def test_a_client_that_leaves_gives_its_place_back() -> None:
    with Emulator(quotas=["*:concurrent=1"]) as emulator, closing(client(emulator.endpoint_url)) as bedrock:
        emulator.session("AKIDLONG").play([{"text": "Wait"}, {"wait": "forever"}])
        emulator.session("AKIDLONG").play("Hi")
        response = bedrock.converse_stream(modelId=MODEL, messages=HELLO)
        response["stream"].close()
        emulator.journal.wait(1)
        assert outcome(bedrock) == "answered"


def test_the_command_has_both(tmp_path: Path) -> None:
    (tmp_path / "credentials.yaml").write_text(FILE)
    arguments = ["--auth", "strict", "--credentials", "credentials.yaml", "--quota", "*:rpm=1"]
    command = [sys.executable, "-m", "converse_emulator", "serve", *arguments]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().removeprefix("ready ").strip()
            with closing(client(url)) as bedrock, closing(client(url, **keys(secret="no"))) as stranger:
                assert outcome(stranger).startswith("InvalidSignatureException 403")
                assert [outcome(bedrock), outcome(bedrock)] == ["answered", REQUESTS]
        finally:
            process.terminate()


@pytest.mark.parametrize("quotas", ["x", ["*:rpm=1", "x"]])
def test_a_mistake_in_a_quota_is_told_at_once(quotas: Any) -> None:
    with pytest.raises(ValueError, match="'x' is no quota"):
        Emulator(quotas=quotas)


def test_credentials_that_are_not_there_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(Exception, match=r"none\.yaml: cannot be read"):
        Emulator(credentials=tmp_path / "none.yaml")
