"""Laws of signatures, against botocore's own signer: what it signs is right, anything changed is wrong."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as Keys
from converse_emulator.admission.authentication import authenticate
from converse_emulator.admission.credentials import AccessKey, Credentials
from converse_emulator.admission.policy import Identity
from converse_emulator.admission.sigv4 import Call
from converse_emulator.http.refusals import ServiceError
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

HOST = "127.0.0.1:8080"
KEY, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
REGIONS = st.sampled_from(["us-east-1", "eu-central-1", "us-gov-west-1"])
ARN = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-lite-v1:0"

TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)
LATIN = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_categories=["Cc"]), max_size=12)


@dataclass(frozen=True)
class Case:
    """What is signed, and how."""

    method: str
    path: str
    query: dict[str, str]
    headers: list[tuple[str, str]]
    body: bytes
    region: str
    token: str | None
    presigned: bool


PATHS = st.one_of(
    st.builds(
        lambda model_id, safe, base: f"{base}/model/{quote(model_id, safe=safe)}/converse-stream",
        st.sampled_from(["anthropic.claude-3-haiku-20240307-v1:0", ARN]) | TEXT.filter(bool),
        st.sampled_from(["", ":", ":/"]),
        st.sampled_from(["", "/session/a%20b", "/session/%C3%A4/scenario/text/hi"]),
    ),
    st.sampled_from(["/", "/a//b/./c/../d/", "/foundation-models", "/async-invoke/a%2Fb~c"]),
)
CASES = st.builds(
    Case,
    method=st.sampled_from(["POST", "GET"]),
    path=PATHS,
    query=st.dictionaries(TEXT.filter(bool), TEXT, max_size=3),
    headers=st.lists(
        st.tuples(st.sampled_from(["X-Own", "x-converse-scenario", "Content-Type", "Accept"]), LATIN),
        max_size=4,
    ),
    body=st.binary(max_size=40) | TEXT.map(str.encode),
    region=REGIONS,
    token=st.none() | st.text(st.characters(codec="ascii", exclude_categories=["Cc", "Z"]), min_size=1),
    presigned=st.booleans(),
)
PLAIN = Case("POST", "/model/a%3A0/converse", {}, [], b"{}", "us-east-1", None, presigned=False)


def digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def signed(case: Case) -> Call:
    """The call as botocore signs it and a server receives it."""
    request: Any = AWSRequest(
        case.method, f"http://{HOST}{case.path}", data=case.body, params=case.query or None
    )
    for name, value in case.headers:
        request.headers.add_header(name, value)
    keys = Keys(KEY, SECRET, case.token)
    if case.presigned:
        request.url, request.params = request.prepare().url, {}
        request.data = b""
        SigV4QueryAuth(keys, "bedrock", case.region, expires=60).add_auth(request)
    else:
        SigV4Auth(keys, "bedrock", case.region).add_auth(request)
    sent = request.prepare()
    url = urlsplit(sent.url)
    headers = [(name.lower(), _received(value)) for name, value in request.headers.items()]
    return Call(case.method, url.path, url.query, [("host", HOST), *headers], digest(sent.body or b""))


def _received(value: str | bytes) -> str:
    return (value if isinstance(value, bytes) else value.encode("latin-1")).decode("latin-1")


def check(call: Call, token: str | None, secret: str = SECRET) -> None:
    key = AccessKey(secret, Identity("arn:aws:iam::123456789012:user/u"), token)
    authenticate(Credentials({KEY: key}, {}), call, "ConverseStream", "m", datetime.now(UTC))


many = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))


@many
@given(CASES)
@example(replace(PLAIN, path=f"/model/{quote(ARN, safe='')}/converse", body="né 😀".encode()))
@example(replace(PLAIN, query={"a": "1", "a-b": "2", "a b": "c+d/é~", "A": ""}))
@example(replace(PLAIN, headers=[("X-Own", "  a   b "), ("X-Own", "c"), ("Accept", "é")]))
@example(replace(PLAIN, presigned=True, token="a/b+c==", query={"q": "x y"}))
def test_what_botocore_signs_is_right(case: Case) -> None:
    check(signed(case), case.token)


Change = Callable[[Call, int], Call]


def _in(text: str, at: int) -> str:
    """The text with one character more."""
    at %= len(text) + 1
    return f"{text[:at]}x{text[at:]}"


def _headers(call: Call, name: str, change: Callable[[str], str]) -> Call:
    return replace(
        call, headers=[(key, change(value) if key == name else value) for key, value in call.headers]
    )


def _claims(call: Call, part: str, change: Callable[[str], str]) -> Call:
    """The call with a part of its claim changed: in the header, or in a presigned URL's query."""
    before, found, rest = (call.header("authorization") or call.query).partition(f"{part}=")
    end = min(at for mark in ",& " if (at := f"{rest}{mark}".find(mark)) >= 0)
    after = f"{before}{found}{change(rest[:end])}{rest[end:]}"
    if call.header("authorization") is None:
        return replace(call, query=after)
    return _headers(call, "authorization", lambda _: after)


def _other_hex(signature: str, at: int) -> str:
    at %= len(signature)
    return f"{signature[:at]}{'0' if signature[at] != '0' else '1'}{signature[at + 1 :]}"


CHANGES: dict[str, Change] = {
    "method": lambda call, _: replace(call, method="PUT"),
    "path": lambda call, at: replace(call, path=f"/x{call.path}" if at % 2 else f"{call.path}x"),
    "query": lambda call, _: replace(call, query=f"{call.query}&added=1".lstrip("&")),
    "host": lambda call, at: _headers(call, "host", lambda value: _in(value, at)),
    "signature": lambda call, at: _claims(call, "Signature", lambda value: _other_hex(value, at)),
}


@many
@given(CASES, st.sampled_from(sorted(CHANGES)), st.integers(0, 1000))
def test_any_change_makes_it_wrong(case: Case, change: str, at: int) -> None:
    with pytest.raises(ServiceError, match="The request signature we calculated does not match") as refused:
        check(CHANGES[change](signed(case), at), case.token)
    assert refused.value.name == "InvalidSignatureException"


@many
@given(CASES.filter(lambda case: not case.presigned), st.integers(0, 1000), st.integers(1, 255))
def test_a_changed_byte_of_the_body_makes_it_wrong(case: Case, at: int, difference: int) -> None:
    call = signed(case)
    body = bytearray(case.body or b"\0")
    body[at % len(body)] ^= difference
    with pytest.raises(ServiceError, match="does not match"):
        check(replace(call, digest=digest(bytes(body))), case.token)
    with pytest.raises(ServiceError, match="does not match"):
        check(replace(call, digest=digest(case.body + b" ")), case.token)


@many
@given(CASES, st.data())
def test_a_changed_or_lost_header_makes_it_wrong(case: Case, data: st.DataObject) -> None:
    call = signed(case)
    names = [name for name, _ in case.headers] or ["host"]
    name = data.draw(st.sampled_from(names)).lower()
    kept = [(key, value) for key, value in call.headers if key != name]
    lost = " ".join((call.header(name) or "").split())
    for headers in ([*call.headers, (name, "more")], *([kept] if lost else [])):
        with pytest.raises(ServiceError, match="does not match"):
            check(replace(call, headers=headers), case.token)


@many
@given(CASES, TEXT)
def test_another_secret_makes_it_wrong(case: Case, secret: str) -> None:
    with pytest.raises(ServiceError, match="does not match"):
        check(signed(case), case.token, secret=f"{SECRET}{secret}x")


@many
@given(CASES)
def test_another_token_is_not_known(case: Case) -> None:
    with pytest.raises(
        ServiceError, match="The security token included in the request is invalid"
    ) as refused:
        check(signed(case), f"{case.token or ''}x")
    assert refused.value.name == "UnrecognizedClientException"


@many
@given(CASES, st.text(max_size=60), st.sampled_from(["Credential", "Signature", "SignedHeaders", "Date"]))
def test_whatever_is_claimed_is_judged(case: Case, junk: str, part: str) -> None:
    """Refused, or, where the change changes nothing, accepted; nothing else happens."""
    call = signed(case)
    name = f"X-Amz-{part}" if case.presigned else part
    broken = (
        _headers(call, "x-amz-date", lambda _: junk)
        if name == "Date"
        else _claims(call, name, lambda value: junk + value[len(junk) :])
    )
    refused: str | None = None
    try:
        check(broken, case.token)
    except ServiceError as error:
        refused = error.name
    assert refused in {
        None,
        "IncompleteSignatureException",
        "InvalidSignatureException",
        "UnrecognizedClientException",
    }


@many
@given(st.text(max_size=60), st.text(max_size=60))
def test_any_header_and_any_query_are_judged(authorization: str, query: str) -> None:
    call = Call(
        "POST", "/", query, [("authorization", authorization), ("x-amz-date", authorization)], digest(b"")
    )
    with pytest.raises(ServiceError):
        check(call, None)
    with pytest.raises(ServiceError):
        check(replace(call, headers=()), None)
