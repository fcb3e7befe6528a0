"""Strict authentication: each way to be refused, its name and its text; policies; the credentials file."""

import base64
import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as Keys
from converse_emulator.admission.authentication import NOTHING, authenticate, signer
from converse_emulator.admission.credentials import Credentials, load_credentials
from converse_emulator.admission.policy import Identity, Statement, action_of, authorize, resource_of
from converse_emulator.admission.sigv4 import Call
from converse_emulator.errors import ScenarioError
from converse_emulator.http.refusals import ServiceError

MODEL = "anthropic.claude-3-haiku-20240307-v1:0"
FILE = """
access_keys:
  AKIDLONG: {secret: long, arn: "arn:aws:iam::111122223333:user/ann"}
  ASIASHORT: {secret: short, session_token: tok, expires: 2030-01-01T00:00:00Z}
  AKIDLIMITED:
    secret: limited
    policy:
      - {allow: ["bedrock:InvokeModel"], models: ["anthropic.*"]}
      - {allow: ["bedrock:invoke*"], models: ["amazon.nova-*"]}
      - {deny: ["*"], models: ["*-lite-*"]}
api_keys:
  ABSKgood: {}
  ABSKold: {expires: "2020-01-01"}
  ABSKlimited: {policy: [{allow: ["bedrock:InvokeModel"]}]}
"""


@pytest.fixture
def credentials(tmp_path: Path) -> Credentials:
    file = tmp_path / "credentials.yaml"
    file.write_text(FILE)
    return load_credentials(file)


def signed(
    key: str = "AKIDLONG",
    secret: str = "long",
    token: str | None = None,
    service: str = "bedrock",
    headers: dict[str, str] | None = None,
) -> Call:
    request: Any = AWSRequest("POST", "http://h:1/model/m/converse", data=b"{}", headers=headers or {})
    SigV4Auth(Keys(key, secret, token), service, "eu-west-1").add_auth(request)
    return Call(
        "POST",
        "/model/m/converse",
        "",
        [("host", "h:1"), *((n.lower(), v) for n, v in request.headers.items())],
        hashlib.sha256(b"{}").hexdigest(),
    )


def changed(call: Call, **headers: str | None) -> Call:
    """The call with these headers, `None` taking one away."""
    by_name = dict(call.headers) | {name.replace("_", "-"): value for name, value in headers.items()}
    return replace(call, headers=[(name, value) for name, value in by_name.items() if value is not None])


def refusal(
    credentials: Credentials,
    call: Call,
    operation: str = "Converse",
    model_id: str = MODEL,
    later: float = 0,
) -> tuple[str, str]:
    """Name and text of the refusal."""
    with pytest.raises(ServiceError) as refused:
        authenticate(credentials, call, operation, model_id, datetime.now(UTC) + timedelta(seconds=later))
    return refused.value.name, str(refused.value)


def bearer(token: str) -> Call:
    return Call("POST", "/model/m/converse", "", [("authorization", f"Bearer {token}")], NOTHING)


# -------------------------------------------------------------------------------------------- accepted


@pytest.mark.parametrize(
    "call",  # made when the test runs: a signature is good for five minutes
    [
        lambda: signed(),
        lambda: signed("ASIASHORT", "short", "tok"),
        lambda: signed(
            headers={"Date": "Fri, 21 Mar 2025 02:04:20 GMT"}
        ),  # botocore keeps it and sets it right
        lambda: signed(headers={"X-Amz-Content-SHA256": "UNSIGNED-PAYLOAD"}),
        lambda: bearer("ABSKgood"),
    ],
)
def test_what_is_right_is_let_in(credentials: Credentials, call: Callable[[], Call]) -> None:
    authenticate(credentials, call(), "Converse", MODEL, datetime.now(UTC))


def test_http2_signs_the_authority(credentials: Credentials) -> None:
    """The JavaScript SDK's default client signs `:authority`; servers know it as `host`."""
    call = signed()
    request: Any = AWSRequest(
        "POST", "http://h:1/model/m/converse", data=b"{}", headers={":authority": "h:1"}
    )

    class Signer(SigV4Auth):  # type: ignore[misc]
        def headers_to_sign(self, request: Any) -> Any:
            headers = super().headers_to_sign(request)
            del headers["host"]
            return headers

    Signer(Keys("AKIDLONG", "long"), "bedrock", "eu-west-1").add_auth(request)
    assert "SignedHeaders=:authority;x-amz-date" in request.headers["Authorization"]
    sent = [(n.lower(), v) for n, v in request.headers.items() if n != ":authority"]
    authenticate(
        credentials, replace(call, headers=[("host", "h:1"), *sent]), "Converse", "m", datetime.now(UTC)
    )


def test_an_unsigned_payload_may_be_anything(credentials: Credentials) -> None:
    call = signed(headers={"X-Amz-Content-SHA256": "UNSIGNED-PAYLOAD"})
    authenticate(credentials, replace(call, digest=NOTHING), "Converse", MODEL, datetime.now(UTC))


# --------------------------------------------------------------------------------------------- refused


def test_a_missing_authorization(credentials: Credentials) -> None:
    call = changed(signed(), authorization=None)
    assert refusal(credentials, call) == ("MissingAuthorization", "Authorization header is missing")


def test_a_signature_too_old(credentials: Credentials) -> None:
    call = signed()
    signed_at = datetime.strptime(dict(call.headers)["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    now = signed_at + timedelta(minutes=6)
    authenticate(credentials, call, "Converse", MODEL, signed_at + timedelta(minutes=5))
    with pytest.raises(ServiceError) as refused:
        authenticate(credentials, call, "Converse", MODEL, now)
    assert refused.value.name == "InvalidSignatureException"
    assert str(refused.value) == (
        f"Signature expired: {signed_at:%Y%m%dT%H%M%SZ} is now earlier than "
        f"{now - timedelta(minutes=5):%Y%m%dT%H%M%SZ} ({now:%Y%m%dT%H%M%SZ} - 5 min.)"
    )


def test_a_signature_of_the_future(credentials: Credentials) -> None:
    name, text = refusal(credentials, signed(), later=-400)
    assert name == "InvalidSignatureException"
    assert text.startswith("Signature not yet current: ")
    assert " is still later than " in text
    assert text.endswith(" + 5 min.)")


def test_a_wrong_secret_gets_the_strings_that_were_signed(credentials: Credentials) -> None:
    name, text = refusal(credentials, signed(secret="other"))
    assert name == "InvalidSignatureException"
    first, strings = text.split("\n\n", 1)
    assert first == (
        "The request signature we calculated does not match the signature you provided. "
        "Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
    )
    assert strings.startswith(
        "The Canonical String for this request should have been\n'POST\n/model/m/converse\n\nhost:h:1\n"
    )
    assert "\n\nThe String-to-Sign should have been\n'AWS4-HMAC-SHA256\n" in strings


@pytest.mark.parametrize(
    ("call", "name", "text"),
    [
        (
            lambda: signed("AKIDNOBODY"),
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
        ),
        (
            lambda: signed(token="tok"),
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
        ),
        (
            lambda: signed("ASIASHORT", "short"),
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
        ),
        (
            lambda: signed(service="s3"),
            "InvalidSignatureException",
            "Credential should be scoped to correct service: 'bedrock'. ",
        ),
        (
            lambda: bearer("ABSKother"),
            "InvalidApiKey",
            "Authentication failed: Please make sure your API Key is valid.",
        ),
        (
            lambda: bearer("other"),
            "InvalidApiKeyFormat",
            "Invalid API Key format: Must start with pre-defined prefix",
        ),
        (lambda: bearer("ABSKold"), "ExpiredApiKey", "Bearer Token has expired"),
        (
            lambda: bearer("bedrock-api-key-*"),
            "InvalidApiKey",
            "Authentication failed: Please make sure your API Key is valid.",
        ),
    ],
)
def test_who_is_not_known(credentials: Credentials, call: Callable[[], Call], name: str, text: str) -> None:
    assert refusal(credentials, call()) == (name, text)


@pytest.mark.parametrize(
    ("headers", "text"),
    [
        (
            {"authorization": "Basic dXNlcg"},
            "Invalid key=value pair (missing equal-sign) in Authorization header "
            "(hashed with SHA-256 and encoded with Base64): 'e7ozKJJ/FRdthV+QgAQei4bhlmNvWtkO7IS4wKslNac='.",
        ),
        (
            {"authorization": "AWS4-HMAC-SHA256 Credential=a/b/c/d/e", "x_amz_date": None},
            "Authorization header requires 'Signature' parameter. "
            "Authorization header requires 'SignedHeaders' parameter. "
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. "
            "(Hashed with SHA-256 and encoded with Base64) Authorization=",
        ),
        (
            {"x_amz_date": "yesterday"},
            "Date must be in ISO-8601 'basic format'. Got 'yesterday'. See http://en.wikipedia.org/wiki/ISO_8601",
        ),
        (
            {"authorization": "AWS4-HMAC-SHA1 Credential=a/b/c/d/e, SignedHeaders=host, Signature=0"},
            "Unsupported AWS 'algorithm': 'AWS4-HMAC-SHA1' (only AWS4-HMAC-SHA256 for now). ",
        ),
        (
            {"authorization": "AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=0"},
            "Credential must have exactly 5 slash-delimited elements, "
            "e.g. keyid/date/region/service/term, got 'a/b'",
        ),
    ],
)
def test_what_is_malformed(credentials: Credentials, headers: dict[str, str | None], text: str) -> None:
    name, found = refusal(credentials, changed(signed(), **headers))
    assert name == "IncompleteSignatureException"
    assert found.startswith(text)


def test_the_host_must_be_signed(credentials: Credentials) -> None:
    call = signed()
    authorization = dict(call.headers)["authorization"].replace("SignedHeaders=host;", "SignedHeaders=")
    name, text = refusal(credentials, changed(call, authorization=authorization))
    assert name == "InvalidSignatureException"
    assert text == "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."


def test_all_that_is_wrong_with_a_scope_is_told(credentials: Credentials) -> None:
    call = signed()
    date = dict(call.headers)["x-amz-date"]
    authorization = "AWS4-HMAC-SHA256 Credential=a/20200101//s3/end, SignedHeaders=host, Signature=0"
    name, text = refusal(credentials, changed(call, authorization=authorization))
    assert name == "InvalidSignatureException"
    assert text == (
        "Credential should be scoped to a valid region. "
        "Credential should be scoped to correct service: 'bedrock'. "
        "Credential should be scoped with a valid terminator: 'aws4_request', not 'end'. "
        "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
        f"'20200101' != '{date[:8]}', from '{date}'."
    )


def test_a_session_token_expires(credentials: Credentials) -> None:
    expired = credentials.access_keys["ASIASHORT"]
    past = replace(expired, expires=datetime(2020, 1, 1, tzinfo=UTC))
    keys = replace(credentials, access_keys={"ASIASHORT": past})
    assert refusal(keys, signed("ASIASHORT", "short", "tok")) == (
        "ExpiredTokenException",
        "The security token included in the request is expired",
    )


# ------------------------------------------------------------------------------------- presigned, minted


def presigned(url: str = "https://bedrock.amazonaws.com/", expires: int = 600, **keys: str) -> str:
    request: Any = AWSRequest("POST", url, headers={"host": urlsplit(url).netloc})
    request.params = {"Action": "CallWithBearerToken"}
    SigV4QueryAuth(
        Keys(**({"access_key": "AKIDLONG", "secret_key": "long"} | keys)), "bedrock", "eu-west-1", expires
    ).add_auth(request)
    return str(request.url)


def minted(url: str) -> str:
    """As AWS's token generator makes short-term API keys."""
    encoded = base64.b64encode(f"{url.removeprefix('https://')}&Version=1".encode()).decode()
    return f"bedrock-api-key-{encoded}"


def test_a_short_term_api_key_is_its_makers(credentials: Credentials) -> None:
    authenticate(credentials, bearer(minted(presigned())), "Converse", MODEL, datetime.now(UTC))
    session = presigned(access_key="ASIASHORT", secret_key="short", token="tok")
    authenticate(credentials, bearer(minted(session)), "Converse", MODEL, datetime.now(UTC))
    assert refusal(credentials, bearer(minted(presigned())), later=601)[0] == "ExpiredApiKey"
    assert refusal(credentials, bearer(minted(presigned(secret_key="other"))))[0] == "InvalidApiKey"
    elsewhere = presigned().replace("CallWithBearerToken", "Other")
    assert refusal(credentials, bearer(minted(elsewhere)))[0] == "InvalidApiKey"


def test_a_presigned_url_says_when_it_expired(credentials: Credentials) -> None:
    url = urlsplit(presigned("http://h:1/"))
    call = Call("POST", url.path, url.query, [("host", "h:1")], NOTHING)
    authenticate(credentials, call, "Converse", MODEL, datetime.now(UTC))
    name, text = refusal(credentials, call, later=700)
    assert name == "InvalidSignatureException"
    assert text.endswith(" - 10 min.)")


@pytest.mark.parametrize(
    ("query", "text"),
    [
        (
            "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date=x",
            "AWS query-string parameters must include 'X-Amz-Credential'. "
            "AWS query-string parameters must include 'X-Amz-Signature'. "
            "AWS query-string parameters must include 'X-Amz-SignedHeaders'. "
            "Re-examine the query-string parameters.",
        ),
        (
            "X-Amz-Signature=0&X-Amz-Credential=a&X-Amz-SignedHeaders=host&X-Amz-Date=x&X-Amz-Expires=604801",
            "X-Amz-Expires must be a number of seconds that is not more than a week, 604800.",
        ),
    ],
)
def test_an_incomplete_presigned_url(credentials: Credentials, query: str, text: str) -> None:
    found = refusal(credentials, Call("POST", "/", query, [("host", "h")], NOTHING))
    assert found == ("IncompleteSignatureException", text)


# ------------------------------------------------------------------------------------------------ policy


@pytest.mark.parametrize(
    ("operation", "action"),
    [
        ("Converse", "bedrock:InvokeModel"),
        ("InvokeModel", "bedrock:InvokeModel"),
        ("ConverseStream", "bedrock:InvokeModelWithResponseStream"),
        ("StartAsyncInvoke", "bedrock:InvokeModel"),
        ("CountTokens", "bedrock:CountTokens"),
        ("ListFoundationModels", "bedrock:ListFoundationModels"),
    ],
)
def test_an_operation_needs_an_action(operation: str, action: str) -> None:
    assert action_of(operation) == action


@pytest.mark.parametrize(
    ("operation", "model_id", "allowed"),
    [
        ("Converse", MODEL, True),
        ("ConverseStream", MODEL, False),
        ("ConverseStream", "amazon.nova-pro-v1:0", True),
        ("ConverseStream", "amazon.nova-lite-v1:0", False),  # what is denied is denied, whatever allows it
        ("Converse", "us.amazon.nova-pro-v1:0", False),
        ("ListFoundationModels", "", False),
    ],
)
def test_a_policy_allows_and_denies(
    credentials: Credentials, operation: str, model_id: str, allowed: bool
) -> None:
    call = signed("AKIDLIMITED", "limited")
    if allowed:
        authenticate(credentials, call, operation, model_id, datetime.now(UTC))
    else:
        assert refusal(credentials, call, operation, model_id)[0] == "IamAccessDenied"


ANN = "arn:aws:iam::111122223333:user/ann"


@pytest.mark.parametrize(
    ("policy", "text"),
    [
        (
            (),
            f"User: {ANN} is not authorized to perform: bedrock:InvokeModel on resource: "
            f"arn:aws:bedrock:eu-west-1::foundation-model/{MODEL} "
            "because no identity-based policy allows the bedrock:InvokeModel action",
        ),
        (
            (Statement("allow", ("*",)), Statement("deny", ("bedrock:*",))),
            f"User: {ANN} is not authorized to perform: bedrock:InvokeModel on resource: "
            f"arn:aws:bedrock:eu-west-1::foundation-model/{MODEL} "
            "with an explicit deny in an identity-based policy",
        ),
    ],
)
def test_a_denial_has_the_services_text(policy: tuple[Statement, ...], text: str) -> None:
    with pytest.raises(ServiceError) as refused:
        authorize(Identity(ANN, policy), "bedrock:InvokeModel", MODEL, "eu-west-1")
    assert str(refused.value) == text


@pytest.mark.parametrize(
    ("model_id", "arn"),
    [
        (MODEL, f"arn:aws:bedrock:eu-west-1::foundation-model/{MODEL}"),
        ("us.amazon.nova-pro-v1:0", "arn:aws:bedrock:eu-west-1:1:inference-profile/us.amazon.nova-pro-v1:0"),
        ("arn:aws:bedrock:us-east-1:2:imported-model/x", "arn:aws:bedrock:us-east-1:2:imported-model/x"),
        ("", "*"),
    ],
)
def test_a_model_has_an_arn(model_id: str, arn: str) -> None:
    assert resource_of(model_id, "eu-west-1", "1") == arn


def test_an_api_key_needs_an_action_more(credentials: Credentials) -> None:
    name, text = refusal(credentials, bearer("ABSKlimited"), "ConverseStream")
    assert name == "IamAccessDenied"
    assert "not authorized to perform: bedrock:CallWithBearerToken on resource: * because no" in text


# ------------------------------------------------------------------------------------------ the file


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("access_keys: {A: {}}", "file.yaml:1:18: 'secret' is missing"),
        ("access_keys: {A: {secret: 12}}", "12 is not allowed here"),
        (
            "access_keys: {a/b: {secret: x}}",
            "'a/b' is not allowed here; allowed: an access key id without a slash",
        ),
        ("api_keys: {A: {arn: me}}", "allowed: the ARN of a user or a role"),
        ("api_keys: {A: {expires: 2020-13-01}}", "month must be in 1..12"),
        ("api_keys: {A: {policy: [{models: [a]}]}}", "either `allow` or `deny`"),
        ("keys: {}", "unknown member 'keys'"),
    ],
)
def test_a_mistake_in_the_file_is_told_with_its_place(tmp_path: Path, text: str, complaint: str) -> None:
    file = tmp_path / "file.yaml"
    file.write_text(text)
    with pytest.raises(ScenarioError) as mistake:
        load_credentials(file)
    assert complaint in str(mistake.value)


def test_the_signer_of_a_call_of_another_service(credentials: Credentials) -> None:
    now = datetime.now(UTC)
    identity, region = signer(credentials, signed(service="execute-api"), now, "execute-api")
    assert (identity.arn, region) == ("arn:aws:iam::111122223333:user/ann", "eu-west-1")
    with pytest.raises(ServiceError, match="scoped to correct service: 'execute-api'"):
        signer(credentials, signed(), now, "execute-api")
