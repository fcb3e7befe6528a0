"""What a request claims of its signature: read from its Authorization header or a presigned URL's query.

Whatever can be told without the secret is judged here: what is missing or malformed, a date that is off, a
foreign scope. Texts and order are those that users report of AWS's front door; of Bedrock itself recorded is
only that of an expired signature. That a claim may be in the query at all is inferred.
"""

import hashlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

from converse_emulator.admission.sigv4 import ALGORITHM, BASIC, Call, Claim, parameters
from converse_emulator.http.refusals import ServiceError

SERVICE = "bedrock"  # also for the hosts bedrock-runtime.*
TERMINATOR = "aws4_request"
SKEW = 300  # seconds that a client's clock may be wrong by
LONGEST = 604_800  # seconds that a presigned URL may hold, a week

_DATES = (BASIC, "%a, %d %b %Y %H:%M:%S GMT", "%a, %d %b %Y %H:%M:%S -0000")
_IN_HEADER = ("Credential", "Signature", "SignedHeaders")
_IN_QUERY = ("X-Amz-Credential", "X-Amz-Signature", "X-Amz-SignedHeaders", "X-Amz-Date")


def claim_of(call: Call, now: datetime, service: str = SERVICE) -> Claim:
    """The claim of a request; raises `ServiceError` if there is none, or none that could be right now.

    `service` is the one that the request must be signed for.
    """
    authorization = call.header("authorization")
    if authorization is not None:
        claim = _from_header(call, authorization)
    elif (query := dict(parameters(call.query))).keys() & {"X-Amz-Algorithm", "X-Amz-Signature"}:
        claim = _from_query(query)
    else:
        raise ServiceError("MissingAuthorization", "Authorization header is missing")
    _check_date(claim, now)
    _check_form(claim, service)
    return claim


def _from_header(call: Call, authorization: str) -> Claim:
    algorithm, _, rest = authorization.strip().partition(" ")
    parts: dict[str, str] = {}
    for part in rest.replace(",", " ").split():
        name, equals, value = part.partition("=")
        if not equals:
            raise _incomplete(
                "Invalid key=value pair (missing equal-sign) in Authorization header "
                f"(hashed with SHA-256 and encoded with Base64): '{_hashed(authorization)}'."
            )
        parts[name] = value
    date = call.header("x-amz-date") or call.header("date") or ""
    missing = [
        f"Authorization header requires '{name}' parameter." for name in _IN_HEADER if not parts.get(name)
    ]
    if not date:
        missing.append("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
    if missing:
        raise _incomplete(
            f"{' '.join(missing)} (Hashed with SHA-256 and encoded with Base64) "
            f"Authorization={_hashed(authorization)}"
        )
    return Claim(
        algorithm,
        parts["Credential"],
        tuple(parts["SignedHeaders"].lower().split(";")),
        parts["Signature"],
        _date(date),
        call.header("x-amz-security-token"),
    )


def _from_query(query: Mapping[str, str]) -> Claim:
    missing = [
        f"AWS query-string parameters must include '{name}'." for name in _IN_QUERY if not query.get(name)
    ]
    if missing:
        raise _incomplete(f"{' '.join(missing)} Re-examine the query-string parameters.")
    lifetime = query.get("X-Amz-Expires", str(SKEW))
    if not (lifetime.isascii() and lifetime.isdecimal() and len(lifetime) <= 6 and int(lifetime) <= LONGEST):
        raise _incomplete(
            f"X-Amz-Expires must be a number of seconds that is not more than a week, {LONGEST}."
        )
    return Claim(
        query.get("X-Amz-Algorithm", ""),
        query["X-Amz-Credential"],
        tuple(query["X-Amz-SignedHeaders"].lower().split(";")),
        query["X-Amz-Signature"],
        _date(query["X-Amz-Date"]),
        query.get("X-Amz-Security-Token"),
        int(lifetime),
    )


def _date(text: str) -> datetime:
    for form in _DATES:
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    raise _incomplete(
        f"Date must be in ISO-8601 'basic format'. Got '{text}'. See http://en.wikipedia.org/wiki/ISO_8601"
    )


def _check_date(claim: Claim, now: datetime) -> None:
    lifetime = timedelta(seconds=SKEW if claim.lifetime is None else claim.lifetime)
    skew = timedelta(seconds=SKEW)
    if claim.signed_at < now - lifetime:
        raise _invalid(
            f"Signature expired: {claim.time} is now earlier than {_basic(now - lifetime)} "
            f"({_basic(now)} - {_minutes(lifetime)} min.)"
        )
    if claim.signed_at > now + skew:
        raise _invalid(
            f"Signature not yet current: {claim.time} is still later than {_basic(now + skew)} "
            f"({_basic(now)} + {_minutes(skew)} min.)"
        )


def _basic(time: datetime) -> str:
    return time.strftime(BASIC)


def _minutes(span: timedelta) -> str:
    return f"{span.total_seconds() / 60:g}"


def _check_form(claim: Claim, service: str) -> None:
    if not {"host", ":authority"} & set(claim.headers):
        raise _invalid("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")
    if claim.algorithm != ALGORITHM:
        raise _incomplete(f"Unsupported AWS 'algorithm': '{claim.algorithm}' (only {ALGORITHM} for now). ")
    if len(claim.credential.split("/")) != 5:
        raise _incomplete(
            "Credential must have exactly 5 slash-delimited elements, "
            f"e.g. keyid/date/region/service/term, got '{claim.credential}'"
        )
    if wrong := "".join(_foreign(claim, service)):
        raise _invalid(wrong)


def _foreign(claim: Claim, wanted: str) -> Iterator[str]:
    """What is wrong with the scope. Any region is valid: the emulator has none of its own."""
    date, region, service, terminator = claim.scope.split("/")
    if not region:
        yield "Credential should be scoped to a valid region. "
    if service != wanted:
        yield f"Credential should be scoped to correct service: '{wanted}'. "
    if terminator != TERMINATOR:
        yield f"Credential should be scoped with a valid terminator: '{TERMINATOR}', not '{terminator}'. "
    if date != claim.time[:8]:
        yield (
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
            f"'{date}' != '{claim.time[:8]}', from '{claim.time}'."
        )


def _hashed(authorization: str) -> str:
    from base64 import b64encode

    return b64encode(hashlib.sha256(authorization.encode()).digest()).decode()


def _incomplete(text: str) -> ServiceError:
    return ServiceError("IncompleteSignatureException", text)


def _invalid(text: str) -> ServiceError:
    return ServiceError("InvalidSignatureException", text)
