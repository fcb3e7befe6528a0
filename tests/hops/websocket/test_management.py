"""boto3 at the `@connections` API: every operation, and every error as the exception that it becomes."""

import http.client
import re
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from converse_emulator.admission.credentials import load_credentials
from converse_hops.websocket.api import WebSocketApi
from converse_hops.websocket.bucket import Bucket
from converse_hops.websocket.limits import Limits, Unknowns
from websockets.exceptions import ConnectionClosed

from tests.hops.websocket.conftest import WAIT, Recorder, browser, management, slow_browser

ServeApi = Callable[..., WebSocketApi]
NEVER = "AAAAAAAAAAAAAAAAAA=="

CREDENTIALS = """
access_keys:
  AKIDGOOD: {secret: good, arn: "arn:aws:iam::111122223333:user/ann"}
  AKIDWEAK:
    secret: weak
    arn: "arn:aws:iam::111122223333:user/bob"
    policy: [{allow: ["bedrock:*"]}]
  AKIDBOTH:
    secret: both
    policy: [{allow: ["execute-api:ManageConnections"], models: ["arn:aws:execute-api:*/prod/POST/*"]}]
"""


def error_of(call: Callable[[], Any]) -> tuple[int, str, str]:
    """Status, code and message of the exception that boto3 raises."""
    with pytest.raises(ClientError) as raised:
        call()
    response = raised.value.response
    headers = response["ResponseMetadata"]["HTTPHeaders"]
    assert headers["x-amzn-errortype"] == response["Error"]["Code"]
    assert re.fullmatch(r"[0-9a-f-]{36}", headers["x-amzn-requestid"])
    assert headers["x-amz-apigw-id"]
    return (
        response["ResponseMetadata"]["HTTPStatusCode"],
        response["Error"]["Code"],
        response["Error"]["Message"],
    )


def test_post_get_and_delete(api: WebSocketApi, recorder: Recorder) -> None:
    aws = management(api)
    with browser(api, user_agent_header="test/1") as client:
        name = recorder.connection_id()
        assert name.endswith("==")  # so boto3 percent-encodes it
        posted = aws.post_to_connection(ConnectionId=name, Data='{"n": "ü"}'.encode())
        assert posted["ResponseMetadata"]["HTTPStatusCode"] == 200
        assert client.recv(timeout=WAIT) == '{"n": "ü"}'
        aws.post_to_connection(ConnectionId=name, Data=b"\x00\xff")
        assert client.recv(timeout=WAIT) == b"\x00\xff"
        found = aws.get_connection(ConnectionId=name)
        assert datetime.now(UTC) - timedelta(minutes=1) < found["ConnectedAt"] <= found["LastActiveAt"]
        assert found["Identity"] == {"SourceIp": "127.0.0.1", "UserAgent": "test/1"}
        aws.post_to_connection(ConnectionId=name, Data=b"before the end")
        deleted = aws.delete_connection(ConnectionId=name)
        assert deleted["ResponseMetadata"]["HTTPStatusCode"] == 204
        assert client.recv(timeout=WAIT) == "before the end"
        with pytest.raises(ConnectionClosed) as closed:
            client.recv(timeout=WAIT)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1000
    context = recorder.next("DISCONNECT")["requestContext"]
    assert (context["disconnectStatusCode"], context["disconnectReason"]) == (
        1000,
        "Connection Closed Normally",
    )


def test_a_connection_that_ended_or_never_was_is_gone(api: WebSocketApi, recorder: Recorder) -> None:
    aws = management(api)
    with browser(api):
        ended = recorder.connection_id()
    recorder.next("DISCONNECT")
    for name in (ended, NEVER):
        for call in (
            lambda name=name: aws.post_to_connection(ConnectionId=name, Data=b"x"),
            lambda name=name: aws.get_connection(ConnectionId=name),
            lambda name=name: aws.delete_connection(ConnectionId=name),
        ):
            assert error_of(call) == (410, "GoneException", "")  # and no text, as users report
    with pytest.raises(aws.exceptions.GoneException):
        aws.post_to_connection(ConnectionId=ended, Data=b"x")
    details = [record.detail for record in api.journal.last.of("failed")]
    assert details == [f"{method}: 410 GoneException" for method in ("POST", "GET", "DELETE", "POST")]


def test_it_is_gone_until_connect_has_returned(api: WebSocketApi, recorder: Recorder) -> None:
    aws = management(api)
    errors = []

    def early(event: dict[str, Any]) -> dict[str, int]:
        name = event["requestContext"]["connectionId"]
        errors.append(error_of(lambda: aws.post_to_connection(ConnectionId=name, Data=b"x")))
        return {"statusCode": 200}

    recorder.results["CONNECT"] = early
    with browser(api):
        name = recorder.connection_id()
        aws.post_to_connection(ConnectionId=name, Data=b"x")
    assert errors == [(410, "GoneException", "")]


def test_what_is_posted_may_have_128_kb_and_comes_in_frames_of_32_kb(
    api: WebSocketApi, recorder: Recorder
) -> None:
    aws = management(api)
    with browser(api, max_size=(131_072, 32_768)) as client:
        name = recorder.connection_id()
        aws.post_to_connection(ConnectionId=name, Data=("ü" * 65_536).encode())
        assert client.recv(timeout=WAIT) == "ü" * 65_536
        status, code, message = error_of(
            lambda: aws.post_to_connection(ConnectionId=name, Data=b"x" * 131_073)
        )
        assert (status, code) == (413, "PayloadTooLargeException")
        assert "131072" in message
        aws.post_to_connection(ConnectionId=name, Data=b"")
        assert client.recv(timeout=WAIT) == ""


@pytest.mark.parametrize("error_bodies", [False, True])
def test_a_client_that_does_not_read_fills_its_buffer(
    serve_api: ServeApi, recorder: Recorder, error_bodies: bool
) -> None:
    api = serve_api(unknowns=Unknowns(client_buffer=50_000, error_bodies=error_bodies))
    aws = management(api)
    with slow_browser(api) as client:
        name = recorder.connection_id()
        posted = 0
        full = None
        while full is None and posted < 1000:
            try:
                aws.post_to_connection(ConnectionId=name, Data=b"%05d" % posted + b"x" * 10_000)
                posted += 1
            except aws.exceptions.LimitExceededException as error:
                full = error.response["Error"]["Message"]
        assert full == ("The client's buffer is full" if error_bodies else "")
        assert api.journal.last.of("failed")[0].detail == "POST: 429 LimitExceededException"
        for number in range(posted):  # what was taken arrives, in order
            message = client.recv(timeout=WAIT)
            assert message[:5] == f"{number:05d}"
        aws.post_to_connection(ConnectionId=name, Data=b"room again")
        assert client.recv(timeout=WAIT) == "room again"


def test_too_many_posts_are_refused(serve_api: ServeApi, recorder: Recorder) -> None:
    api = serve_api(limits=Limits(posts_per_second=0.001, posts_at_once=2))
    aws = management(api)
    with browser(api):
        name = recorder.connection_id()
        for _ in range(2):
            aws.post_to_connection(ConnectionId=name, Data=b"x")
        assert error_of(lambda: aws.get_connection(ConnectionId=name))[:2] == (429, "LimitExceededException")


def test_a_bucket_fills_again() -> None:
    now = 0.0
    bucket = Bucket(2.0, 3.0, lambda: now)
    assert [bucket.take() for _ in range(4)] == [True, True, True, False]
    now = 0.5
    assert [bucket.take(), bucket.take()] == [True, False]
    now = 100.0
    assert [bucket.take() for _ in range(4)] == [True, True, True, False]


def test_an_id_of_the_wrong_form_is_a_bad_request(api: WebSocketApi) -> None:
    aws = management(api)
    assert error_of(lambda: aws.get_connection(ConnectionId="no id")) == (
        400,
        "BadRequestException",
        "Invalid connectionId: no id",
    )


def test_the_stage_may_be_missing_but_not_another(api: WebSocketApi, recorder: Recorder) -> None:
    with browser(api) as client:
        name = recorder.connection_id()
        management(api, url=api.url).post_to_connection(ConnectionId=name, Data=b"x")
        assert client.recv(timeout=WAIT) == "x"
        other = management(api, url=f"{api.url}/other")
        status, code, _ = error_of(lambda: other.post_to_connection(ConnectionId=name, Data=b"x"))
        assert (status, code) == (403, "ForbiddenException")
        with pytest.raises(other.exceptions.ForbiddenException):
            other.get_connection(ConnectionId=name)


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/prod"), ("GET", "/"), ("PUT", f"/prod/@connections/{NEVER}")]
)
def test_what_is_no_call_is_refused_as_an_unknown_resource(api: WebSocketApi, method: str, path: str) -> None:
    connection = http.client.HTTPConnection(api.url.removeprefix("http://"), timeout=WAIT)
    connection.request(method, path)
    response = connection.getresponse()
    assert (response.status, response.read()) == (403, b'{"message":"Missing Authentication Token"}')
    assert response.headers["x-amzn-ErrorType"] == "MissingAuthenticationTokenException"
    connection.close()


@pytest.fixture
def guarded(serve_api: ServeApi, tmp_path: Path) -> WebSocketApi:
    file = tmp_path / "credentials.yaml"
    file.write_text(CREDENTIALS)
    return serve_api(credentials=load_credentials(file))


def test_signatures_are_verified(guarded: WebSocketApi, recorder: Recorder) -> None:
    with browser(guarded) as client:
        name = recorder.connection_id()
        aws = management(guarded, "AKIDGOOD", "good")
        aws.post_to_connection(ConnectionId=name, Data=b"signed")
        assert client.recv(timeout=WAIT) == "signed"
        wrong = management(guarded, "AKIDGOOD", "bad")
        status, code, message = error_of(lambda: wrong.post_to_connection(ConnectionId=name, Data=b"x"))
        assert (status, code) == (403, "InvalidSignatureException")
        assert message.startswith("The request signature we calculated does not match")
        stranger = management(guarded, "AKIDSTRANGER", "x")
        status, code, _ = error_of(lambda: stranger.post_to_connection(ConnectionId=name, Data=b"x"))
        assert (status, code) == (403, "UnrecognizedClientException")


def test_who_may_not_manage_connections_is_told_with_a_capital_m(
    guarded: WebSocketApi, recorder: Recorder
) -> None:
    with browser(guarded):
        name = recorder.connection_id()
        aws = management(guarded, "AKIDWEAK", "weak")
        status, code, message = error_of(lambda: aws.post_to_connection(ConnectionId=name, Data=b"x"))
        assert (status, code) == (403, "AccessDeniedException")
        assert message == (
            "User: arn:aws:iam::111122223333:user/bob is not authorized to perform: "
            "execute-api:ManageConnections on resource: arn:aws:execute-api:us-east-1:111122223333:"
            "a1b2c3d4e5/prod/POST/@connections/{connectionId} "
            "because no identity-based policy allows the execute-api:ManageConnections action"
        )
        limited = management(guarded, "AKIDBOTH", "both")
        limited.post_to_connection(ConnectionId=name, Data=b"x")
        assert error_of(lambda: limited.get_connection(ConnectionId=name))[1] == "AccessDeniedException"


def test_an_unsigned_call_is_refused(guarded: WebSocketApi) -> None:
    connection = http.client.HTTPConnection(guarded.url.removeprefix("http://"), timeout=WAIT)
    connection.request("POST", f"/prod/@connections/{NEVER}", b"x")
    response = connection.getresponse()
    assert (response.status, response.read()) == (403, b'{"Message":"Authorization header is missing"}')
    connection.close()


def test_posts_side_by_side_overtake_each_other(serve_api: ServeApi, recorder: Recorder) -> None:
    api = serve_api(post_latency=(0.0, 0.2), seed=3)
    aws = management(api)
    with browser(api) as client:
        name = recorder.connection_id()
        posts = [
            threading.Thread(target=aws.post_to_connection, kwargs={"ConnectionId": name, "Data": b"%d" % n})
            for n in range(8)
        ]
        for post in posts:
            post.start()
            time.sleep(0.002)
        for post in posts:
            post.join()
        got = [client.recv(timeout=WAIT) for _ in posts]
    assert sorted(got) == [f"{n}" for n in range(8)]
    assert got != sorted(got)
