"""StartAsyncInvoke, GetAsyncInvoke, ListAsyncInvokes: invocations that nothing is computed for.

An invocation is in progress when it is first asked for and completed from then on, so that a client that
polls goes round once; it fails instead if the marker `[[async: fail]]` stands in its input. Nothing is
written to S3. The last thousand of a session are kept. Texts of errors are inferred.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from string import ascii_lowercase, digits
from typing import TYPE_CHECKING

from converse_emulator.http.refusals import ServiceError
from converse_emulator.language.scenario import Json
from converse_emulator.side.listings import ACCOUNT
from converse_emulator.side.pages import page

if TYPE_CHECKING:
    from datetime import datetime

MOST = 1000
FAILURE = "[[async: fail]]"
_LETTERS = ascii_lowercase + digits

Members = Mapping[str, Json]


@dataclass(slots=True, eq=False, repr=False)
class _Invocation:
    arn: str
    started: Members  # the input of StartAsyncInvoke
    model_arn: str
    submitted: float  # epoch seconds
    asked: bool = False

    @property
    def status(self) -> str:
        if not self.asked:
            return "InProgress"
        return "Failed" if FAILURE in json.dumps(self.started["modelInput"]) else "Completed"

    def described(self) -> dict[str, Json]:
        """The invocation as the service shows it."""
        at = _timestamp(self.submitted)
        shown: dict[str, Json] = {
            "invocationArn": self.arn,
            "modelArn": self.model_arn,
            "status": self.status,
            "submitTime": at,
            "lastModifiedTime": at,
            "outputDataConfig": self.started["outputDataConfig"],
        }
        if token := self.started.get("clientRequestToken"):
            shown["clientRequestToken"] = token
        if self.status != "InProgress":
            shown["endTime"] = at
        if self.status == "Failed":
            shown["failureMessage"] = "The invocation was asked to fail."
        return shown


class AsyncInvokes:
    """The invocations of all sessions. The same calls with the same seed give the same ARNs."""

    def __init__(self, seed: str, now: Callable[[], float]) -> None:
        self._seed = seed
        self._now = now  # epoch seconds
        self._sessions: dict[str, dict[str, _Invocation]] = {}
        self._numbers: dict[str, int] = {}

    def forget(self, session: str | None = None) -> None:
        """Forget those of a session, or all."""
        for kept in (self._sessions, self._numbers):
            if session is None:
                kept.clear()
            else:
                kept.pop(session, None)

    def start(self, members: Members, session: str, region: str) -> Json:
        """Begin one; with the token of an earlier one, that one."""
        kept = self._sessions.setdefault(session, {})
        token = members.get("clientRequestToken")
        for invocation in kept.values():
            if token is not None and token == invocation.started.get("clientRequestToken"):
                return {"invocationArn": invocation.arn}
        number = self._numbers[session] = self._numbers.get(session, 0) + 1
        name = "".join(Random(f"{self._seed}:{session}:async:{number}").choices(_LETTERS, k=12))
        arn = f"arn:aws:bedrock:{region}:{ACCOUNT}:async-invoke/{name}"
        model = members["modelId"]
        model_arn = (
            model if model.startswith("arn:") else f"arn:aws:bedrock:{region}::foundation-model/{model}"
        )
        kept[arn] = _Invocation(arn, members, model_arn, self._now())
        while len(kept) > MOST:
            del kept[next(iter(kept))]
        return {"invocationArn": arn}

    def get(self, members: Members, session: str) -> Json:
        """One invocation, which goes on by that."""
        invocation = self._sessions.get(session, {}).get(members["invocationArn"])
        if invocation is None:
            raise ServiceError("ValidationException", "The provided invocation ARN is invalid.")
        shown = invocation.described()
        invocation.asked = True
        return shown

    def list(self, members: Members, session: str) -> Json:
        """A page of those that the filters let through, the newest first unless asked otherwise."""
        kept = self._sessions.get(session, {}).values()
        found = [each for each in map(_Invocation.described, kept) if _passes(each, members)]
        if members.get("sortOrder") != "Ascending":
            found.reverse()
        return page("asyncInvokeSummaries", found, members)


def _passes(shown: Members, filters: Members) -> bool:
    submitted = _moment(shown["submitTime"])
    after, before = filters.get("submitTimeAfter"), filters.get("submitTimeBefore")
    return (
        filters.get("statusEquals") in (None, shown["status"])
        and (after is None or submitted > _moment(after))
        and (before is None or submitted < _moment(before))
    )


def _moment(given: str) -> "datetime":
    from datetime import UTC, datetime

    moment = datetime.fromisoformat(given)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _timestamp(epoch: float) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(epoch, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
