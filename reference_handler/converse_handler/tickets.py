"""Tickets: who a browser is, for this server and for AppSync's Lambda authorizer, with no store between them.

A ticket is `USER.EXPIRES.SIGNATURE`, and lets whoever holds it listen to the user's own channels. It stands
where your sign-in is: with Cognito or another OIDC provider its token is the ticket, and `holder` your check.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

LIFETIME = 3600  # seconds
USER = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,48}[A-Za-z0-9])?")  # what a segment of a channel may be


@dataclass(frozen=True, slots=True)
class Tickets:
    """Channels are `/NAMESPACE/USER/CONVERSATION`; `secret` is shared by the server and the authorizer."""

    secret: str
    namespace: str

    def mint(self, user: str, now: float) -> str:
        """A ticket for this user; `now` in seconds since the epoch."""
        claim = f"{user}.{int(now) + LIFETIME}"
        return f"{claim}.{self._signature(claim)}"

    def holder(self, ticket: str, now: float) -> str | None:
        """Whose ticket it is; None if it was not minted here, or is too old."""
        claim, _, signature = ticket.rpartition(".")
        if not hmac.compare_digest(self._signature(claim).encode(), signature.encode()):
            return None
        user, _, expires = claim.partition(".")
        return user if now < int(expires) else None

    def channel(self, user: str, conversation: str) -> str:
        return f"/{self.namespace}/{user}/{conversation}"

    def owns(self, user: str, channel: str) -> bool:
        """Whether it is a channel of this user's, and one only: a wildcard is not."""
        stem, _, conversation = channel.rpartition("/")
        return stem == f"/{self.namespace}/{user}" and bool(USER.fullmatch(conversation))

    def authorize(self, event: Mapping[str, Any], now: float) -> dict[str, Any]:
        """The Lambda authorizer of the Event API: a ticket connects, and listens to its user's channels.

        It never publishes: that is the server's, with IAM.
        """
        user = self.holder(event.get("authorizationToken", ""), now)
        asked = event.get("requestContext", {})
        allowed = user is not None and (
            asked.get("operation") == "EVENT_CONNECT"
            or (asked.get("operation") == "EVENT_SUBSCRIBE" and self.owns(user, asked.get("channel") or ""))
        )
        return {"isAuthorized": allowed, "handlerContext": {"user": user} if allowed else {}}

    def _signature(self, claim: str) -> str:
        return hmac.digest(self.secret.encode(), claim.encode(), hashlib.sha256).hex()
