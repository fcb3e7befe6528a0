"""What a request passes before the service looks at it: authentication, then quotas, where wanted."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from converse_emulator.admission.lease import Lease
from converse_emulator.choosing.request import Request
from converse_emulator.http.head import RequestHead
from converse_emulator.http.inbound import Body, TooLarge
from converse_emulator.http.refusals import ServiceError

if TYPE_CHECKING:
    from converse_emulator.admission.credentials import Credentials
    from converse_emulator.admission.event_signatures import Chain
    from converse_emulator.admission.quotas import Quotas
    from converse_emulator.admission.sigv4 import Call


@dataclass(slots=True, eq=False, repr=False)
class FrontDoor:
    """Lets requests in."""

    credentials: "Credentials | None" = None  # None: anybody may call
    quotas: "Quotas | None" = None  # None: they may ask as often as they like

    def enter(
        self, head: RequestHead, body: Body, request: Request, most_output: int | None, now: float
    ) -> tuple[Lease, Exception | None]:
        """What the request holds of its quotas, to be settled; and why it is refused, if it is.

        `most_output` is the model's limit; `now` the quotas' time, in seconds.
        """
        try:
            if isinstance(body.problem, TooLarge):  # it was not read, so nobody can tell what was signed
                return Lease(), body.problem
            if self.credentials is not None:
                _authenticate(self.credentials, head, body, request)
            if self.quotas is None:
                return Lease(), body.problem
            return self.quotas.admit(request, most_output, now), body.problem
        except ServiceError as refused:
            return Lease(), refused

    def forget(self, session: str | None = None) -> None:
        """Begin the quotas anew for a session, or for all."""
        if self.quotas is not None:
            self.quotas.forget(session)

    def chain(self, head: RequestHead, request: Request) -> "Chain | None":
        """What verifies the events that an admitted request streams; None where nobody has to sign them."""
        if self.credentials is None or not request.headers.get("authorization", "").startswith("AWS4-"):
            return None
        from datetime import UTC, datetime

        from converse_emulator.admission.event_signatures import Chain
        from converse_emulator.admission.sigv4_claim import claim_of

        claim = claim_of(_call(head, ""), datetime.now(UTC))
        return Chain(claim, self.credentials.access_keys[claim.access_key].secret)


def _authenticate(credentials: "Credentials", head: RequestHead, body: Body, request: Request) -> None:
    from datetime import UTC, datetime

    from converse_emulator.admission.authentication import authenticate

    call = _call(head, body.digest)
    authenticate(credentials, call, request.operation, request.model_id, datetime.now(UTC))


def _call(head: RequestHead, digest: str) -> "Call":
    from converse_emulator.admission.sigv4 import Call

    return Call(
        head.method,
        head.path.decode("latin-1"),
        head.query.decode("latin-1"),
        [(name.decode("latin-1"), value.decode("latin-1")) for name, value in head.headers.pairs()],
        digest,
    )
