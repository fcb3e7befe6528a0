"""Who calls, and may they: strict authentication against a file of credentials.

A call is signed (Signature Version 4, in a header or in the query of a presigned URL) or carries an API key
as a bearer token. A short-term API key is itself a presigned URL, for the action `CallWithBearerToken`.
Reported by users of Bedrock are the texts for a missing header and for API keys; inferred is the order of the
checks after those of `sigv4_claim`.
"""

import hashlib
from base64 import b64decode
from datetime import datetime

from converse_emulator.admission.credentials import Credentials
from converse_emulator.admission.policy import CALL_WITH_API_KEY, Identity, action_of, authorize
from converse_emulator.admission.sigv4 import Call, parameters, verify
from converse_emulator.admission.sigv4_claim import SERVICE, claim_of
from converse_emulator.http.refusals import REFUSALS, ServiceError

REGION = "us-east-1"  # of long-term API keys, which tell none
NOTHING = hashlib.sha256(b"").hexdigest()
LONG_TERM, SHORT_TERM = "ABSK", "bedrock-api-key-"  # how the service's own API keys begin


def authenticate(credentials: Credentials, call: Call, operation: str, model_id: str, now: datetime) -> None:
    """Raise `ServiceError` unless the call is by someone known who may make it; `model_id` `""` is none."""
    scheme, _, token = (call.header("authorization") or "").partition(" ")
    if scheme.lower() == "bearer":
        identity, region = _holder(credentials, token.strip(), now)
        authorize(identity, CALL_WITH_API_KEY, "", region)
    else:
        identity, region = signer(credentials, call, now)
    authorize(identity, action_of(operation), model_id, region)


def signer(
    credentials: Credentials, call: Call, now: datetime, service: str = SERVICE
) -> tuple[Identity, str]:
    """Whose signature for a service it is, and the region that it is for; raises `ServiceError`."""
    claim = claim_of(call, now, service)
    key = credentials.access_keys.get(claim.access_key)
    if key is None or claim.token != key.session_token:
        raise _refused("UnrecognizedClientException")
    if _expired(key.expires, now):
        raise _refused("ExpiredTokenException")
    verify(claim, call, key.secret)
    return key.identity, claim.region


def _holder(credentials: Credentials, token: str, now: datetime) -> tuple[Identity, str]:
    """Whose API key it is, and the region that it is for."""
    key = credentials.api_keys.get(token)
    if key is not None:
        if _expired(key.expires, now):
            raise _refused("ExpiredApiKey")
        return key.identity, REGION
    if token.startswith(SHORT_TERM):
        return _minter(credentials, token.removeprefix(SHORT_TERM), now)
    raise _refused("InvalidApiKey" if token.startswith(LONG_TERM) else "InvalidApiKeyFormat")


def _minter(credentials: Credentials, encoded: str, now: datetime) -> tuple[Identity, str]:
    """Whose access key a short-term API key was made with: `HOST/?PRESIGNED_QUERY&Version=1` in base64."""
    try:
        url = b64decode(encoded, validate=True).decode()
        host, _, query = url.partition("/?")
        if ("Action", "CallWithBearerToken") not in parameters(query):
            raise ValueError("a URL for something else")
        call = Call("POST", "/", query.removesuffix("&Version=1"), [("host", host)], NOTHING)
        return signer(credentials, call, now)
    except ServiceError as error:
        expired = str(error).startswith("Signature expired") or error.name == "ExpiredTokenException"
        raise _refused("ExpiredApiKey" if expired else "InvalidApiKey") from error
    except ValueError:
        raise _refused("InvalidApiKey") from None


def _expired(expires: datetime | None, now: datetime) -> bool:
    return expires is not None and now >= expires


def _refused(name: str) -> ServiceError:
    return ServiceError(name, REFUSALS[name].text)
