"""The `@connections` API: what a backend may do with a connection, and every way in which it is refused.

The statuses and names are the service model's. Captured is the denial with its capital `Message`; reported
by users are the empty body of 410 and the 400 for an id of the wrong form; inferred are the other texts.
"""

import json
import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256
from random import Random
from typing import TYPE_CHECKING
from urllib.parse import unquote
from uuid import UUID

from converse_emulator.http.refusals import REFUSALS, ServiceError

from converse_hops.websocket.connection import Connection, Full, Gone
from converse_hops.websocket.limits import MESSAGE

if TYPE_CHECKING:
    from converse_emulator.admission.credentials import Credentials

SERVICE = "execute-api"
ACTION = "execute-api:ManageConnections"

_RESOURCE = re.compile(r"(?:/(?P<stage>[^/@]+))?/@connections/(?P<id>[^/]+)/?")
_ID = re.compile(r"(?:[\w-]{4}){2,}(?:[\w-]{2}==|[\w-]{3}=)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Request:
    """A management call as it came; `path` is percent-encoded, header names are in lower case."""

    method: str
    path: str
    query: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Reply:
    """What it is answered with."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""
    refused: str = ""  # the error's name


def connection_named(path: str) -> str:
    """The connection that a call is about; "" if it is about none."""
    found = _RESOURCE.fullmatch(unquote(path))
    return found["id"] if found else ""


class Refused(Exception):
    """The call is not carried out: status, the error's name, and the body."""

    def __init__(self, status: int, name: str, body: Mapping[str, str] | None) -> None:
        super().__init__(name)
        self.status, self.name, self.body = status, name, body


@dataclass(slots=True)
class Management:
    """Answers calls. `find` gives the connection of an id, `admit` says whether the quota has room."""

    api_id: str
    stage: str
    find: Callable[[str], Connection | None]
    admit: Callable[[], bool] = lambda: True
    credentials: "Credentials | None" = None  # None: anybody may call
    error_bodies: bool = False
    chance: Random = field(default_factory=lambda: Random(0))

    def answer(self, request: Request) -> Reply:
        """Carry it out."""
        ids = (
            ("x-amzn-RequestId", str(UUID(bytes=self.chance.randbytes(16), version=4))),
            ("x-amz-apigw-id", b64encode(self.chance.randbytes(11)).decode()),
        )
        try:
            status, body = self._carry_out(request)
            return _reply(status, ids, body)
        except Refused as refused:
            headers = (*ids, ("x-amzn-ErrorType", refused.name))
            return replace(_reply(refused.status, headers, refused.body), refused=refused.name)

    def _carry_out(self, request: Request) -> tuple[int, Mapping[str, object] | None]:
        found = _RESOURCE.fullmatch(unquote(request.path))
        if found is None or request.method not in ("GET", "POST", "DELETE"):
            raise _refused(403, "MissingAuthenticationTokenException", "Missing Authentication Token")
        if found["stage"] not in (None, self.stage):
            raise _refused(403, "ForbiddenException", "Forbidden")
        if self.credentials is not None:
            self._authenticate(self.credentials, request)
        if len(request.body) > MESSAGE:
            raise _refused(413, "PayloadTooLargeException", f"Message too long: more than {MESSAGE} bytes")
        if not self.admit():
            raise self._plain(429, "LimitExceededException", "Too many requests")
        if not _ID.fullmatch(found["id"]):
            raise _refused(400, "BadRequestException", f"Invalid connectionId: {found['id']}")
        connection = self.find(found["id"])
        if connection is None:
            raise self._gone()
        return self._touch(connection, request)

    def _touch(self, connection: Connection, request: Request) -> tuple[int, Mapping[str, object] | None]:
        try:
            match request.method:
                case "POST":
                    connection.post(request.body)
                    return 200, None
                case "GET":
                    return 200, _picture(connection)
                case _:
                    connection.delete()
                    return 204, None
        except Gone:
            raise self._gone() from None
        except Full:
            raise self._plain(429, "LimitExceededException", "The client's buffer is full") from None

    def _authenticate(self, credentials: "Credentials", request: Request) -> None:
        from converse_emulator.admission.authentication import signer
        from converse_emulator.admission.policy import authorize
        from converse_emulator.admission.sigv4 import Call

        digest = sha256(request.body).hexdigest()
        call = Call(request.method, request.path, request.query, request.headers, digest)
        try:
            identity, region = signer(credentials, call, datetime.now(UTC), SERVICE)
            name = f"{self.api_id}/{self.stage}/{request.method}/@connections/{{connectionId}}"
            authorize(identity, ACTION, f"arn:aws:execute-api:{region}:{identity.account}:{name}", region)
        except ServiceError as error:
            refusal = REFUSALS[error.name]
            raise Refused(403, refusal.code, {refusal.key: str(error)}) from error

    def _gone(self) -> Refused:
        return self._plain(410, "GoneException", "The connection is gone")

    def _plain(self, status: int, name: str, text: str) -> Refused:
        return _refused(status, name, text) if self.error_bodies else Refused(status, name, None)


def _refused(status: int, name: str, text: str) -> Refused:
    return Refused(status, name, {"message": text})


def _reply(status: int, headers: tuple[tuple[str, str], ...], body: Mapping[str, object] | None) -> Reply:
    if body is None:
        return Reply(status, headers)
    content = json.dumps(body, separators=(",", ":")).encode()
    return Reply(status, (*headers, ("Content-Type", "application/json")), content)


def _picture(connection: Connection) -> Mapping[str, object]:
    return {
        "connectedAt": _iso(connection.opening.connected_at),
        "lastActiveAt": _iso(connection.active_at),
        "identity": connection.opening.identity,
    }


def _iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
