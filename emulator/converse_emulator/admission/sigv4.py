"""AWS Signature Version 4: the canonical form of a request, and the signature that a secret makes of it.

The rules are botocore's for the service `bedrock`: the percent-encoded path is encoded a second time, the
payload is hashed. What a request claims of its signature is read by `sigv4_claim`.
"""

import hashlib
import hmac
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote, unquote_plus

from converse_emulator.http.refusals import ServiceError

ALGORITHM = "AWS4-HMAC-SHA256"
BASIC = "%Y%m%dT%H%M%SZ"  # ISO 8601's basic format

_UNHASHED = ("UNSIGNED-PAYLOAD", "STREAMING-")  # values of x-amz-content-sha256 that stand for themselves
_MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret "
    "Access Key and signing method. Consult the service documentation for details."
)


@dataclass(frozen=True, slots=True)
class Call:
    """A request as it came. `path` is percent-encoded, `headers` have lower-case names; over HTTP/2 `host`
    is the `:authority`."""

    method: str
    path: str
    query: str
    headers: Sequence[tuple[str, str]]
    digest: str  # of the body: SHA-256 in hex

    def header(self, name: str) -> str | None:
        """The first header of that name."""
        return next((value for known, value in self.headers if known == name), None)


@dataclass(frozen=True, slots=True)
class Claim:
    """What a request says of its signature. `lifetime` is a presigned URL's, in seconds."""

    algorithm: str
    credential: str  # KEY/DATE/REGION/SERVICE/aws4_request
    headers: tuple[str, ...]  # the signed ones
    signature: str
    signed_at: datetime
    token: str | None
    lifetime: int | None = None

    @property
    def time(self) -> str:
        return self.signed_at.strftime(BASIC)

    @property
    def access_key(self) -> str:
        return self.credential.partition("/")[0]

    @property
    def scope(self) -> str:
        return self.credential.partition("/")[2]

    @property
    def region(self) -> str:
        return self.scope.split("/")[1]


def verify(claim: Claim, call: Call, secret: str) -> None:
    """Raise `ServiceError` unless the signature is what this secret makes of the request.

    The service answers with the strings that it signed, as users report.
    """
    request = canonical_request(claim, call)
    string = "\n".join([ALGORITHM, claim.time, claim.scope, hashlib.sha256(request.encode()).hexdigest()])
    expected = hmac.digest(signing_key(secret, claim.scope), string.encode(), "sha256").hex()
    if not hmac.compare_digest(expected.encode(), claim.signature.encode()):
        raise ServiceError(
            "InvalidSignatureException",
            f"{_MISMATCH}\n\nThe Canonical String for this request should have been\n'{request}'\n\n"
            f"The String-to-Sign should have been\n'{string}'\n",
        )


def signing_key(secret: str, scope: str) -> bytes:
    """What a secret signs with in a scope, DATE/REGION/SERVICE/aws4_request."""
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def canonical_request(claim: Claim, call: Call) -> str:
    """The request in the form that is signed."""
    names = sorted(set(claim.headers))
    return "\n".join(
        [
            call.method,
            quote(_normalized(call.path), safe="/~"),
            "&".join(f"{name}={value}" for name, value in sorted(_encoded(call.query))),
            *(f"{name}:{_header(call, name)}" for name in names),
            "",
            ";".join(names),
            _payload(call),
        ]
    )


def parameters(query: str) -> Iterator[tuple[str, str]]:
    """The parameters of a query, decoded."""
    for pair in filter(None, query.split("&")):
        name, _, value = pair.partition("=")
        yield unquote_plus(name), unquote_plus(value)


def _normalized(path: str) -> str:
    """The path without empty and dot segments."""
    kept: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            del kept[-1:]
        elif segment not in ("", "."):
            kept.append(segment)
    return f"/{'/'.join(kept)}{'/' if kept and path.endswith('/') else ''}"


def _encoded(query: str) -> Iterator[tuple[str, str]]:
    for name, value in parameters(query):
        if name != "X-Amz-Signature":
            yield quote(name, safe="-_.~"), quote(value, safe="-_.~")


def _header(call: Call, name: str) -> str:
    """All values of a header, each with single spaces only."""
    known = "host" if name == ":authority" else name
    return ",".join(" ".join(value.split()) for key, value in call.headers if key == known)


def _payload(call: Call) -> str:
    """The body's hash. One that the client declares is not believed: the body may have been changed."""
    declared = call.header("x-amz-content-sha256") or ""
    return declared if declared.startswith(_UNHASHED) else call.digest
