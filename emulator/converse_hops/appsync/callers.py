"""Who calls: an API key, a signature, or a token that an authorizer knows.

A call over HTTP has these in its headers, a message of the WebSocket in its `authorization`. What is signed
there is a POST of the message's own JSON to `/event`, with headers that never change (`accept`,
`content-encoding: amz-1.0`, `content-type`); the client sends them along, so they are verified as any others.
"""

import hashlib
import json
from base64 import urlsafe_b64decode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from converse_emulator.admission.sigv4 import ALGORITHM, Call, verify
from converse_emulator.admission.sigv4_claim import claim_of
from converse_emulator.http.refusals import ServiceError

from converse_hops.appsync.channels import Action, Caller, Channel
from converse_hops.appsync.errors import EventsError
from converse_hops.appsync.messages import PROTOCOL

SERVICE = "appsync"
PATH = "/event"
HEADER = "header-"  # before the base64url of the authorization, as a subprotocol

# A Lambda authorizer: its event to {"isAuthorized": bool, "handlerContext": {"user": …}}, as on AWS.
Authorizer = Callable[[Mapping[str, Any]], Mapping[str, Any]]
OPERATIONS: Mapping[Action, str] = {
    "connect": "EVENT_CONNECT",
    "subscribe": "EVENT_SUBSCRIBE",
    "publish": "EVENT_PUBLISH",
}


@dataclass(frozen=True, slots=True)
class Doors:
    """Who is let in. `secrets` are access key ids with their secrets."""

    api_keys: frozenset[str]
    secrets: Mapping[str, str]
    authorizer: Authorizer | None = None

    def caller(
        self, headers: Mapping[str, str], body: bytes, action: Action, channel: Channel | None = None
    ) -> Caller:
        """Who sent these headers (names in lower case) with this body; raises `EventsError`."""
        authorization = headers.get("authorization", "")
        if authorization.startswith(ALGORITHM):
            return self._signer(headers, body)
        if authorization:
            return self._holder(headers, action, channel)
        key = headers.get("x-api-key")
        if key is None:
            raise EventsError("no_credentials")
        if key not in self.api_keys:
            raise EventsError("not_authorized")
        return Caller("API_KEY", "api-key")

    def _holder(self, headers: Mapping[str, str], action: Action, channel: Channel | None) -> Caller:
        if self.authorizer is None:
            raise EventsError("not_authorized")
        said = self.authorizer(
            {
                "authorizationToken": headers["authorization"],
                "requestContext": {
                    "operation": OPERATIONS[action],
                    "channelNamespaceName": channel and channel.namespace,
                    "channel": channel and str(channel),
                },
                "requestHeaders": dict(headers),
            }
        )
        if said.get("isAuthorized") is not True:
            raise EventsError("not_authorized")
        return Caller("AWS_LAMBDA", str(said.get("handlerContext", {}).get("user", "")))

    def _signer(self, headers: Mapping[str, str], body: bytes) -> Caller:
        call = Call("POST", PATH, "", list(headers.items()), hashlib.sha256(body).hexdigest())
        try:
            claim = claim_of(call, datetime.now(UTC), SERVICE)
            secret = self.secrets.get(claim.access_key)
            if secret is None:
                raise EventsError("not_authorized")
            verify(claim, call, secret)
        except ServiceError as error:
            raise EventsError("signature") from error
        return Caller("AWS_IAM", claim.access_key)


def signed(**members: Any) -> bytes:
    """The JSON that a message's signature is of: as JavaScript writes it, members in this order."""
    return json.dumps(members, separators=(",", ":"), ensure_ascii=False).encode(errors="surrogatepass")


def offered(protocols: Sequence[str]) -> Mapping[str, str]:
    """The authorization of a handshake, names in lower case; raises `EventsError`."""
    header = next((each for each in protocols if each.startswith(HEADER)), None)
    if PROTOCOL not in protocols or header is None:
        raise EventsError("no_protocol")
    encoded = header.removeprefix(HEADER)
    try:
        found = json.loads(urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)))
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise EventsError("no_protocol")
    return {str(name).lower(): value for name, value in found.items() if isinstance(value, str)}
