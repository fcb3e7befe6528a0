"""Quotas of models: requests and tokens a minute, requests at a time. Time is a parameter, in seconds.

    MODEL-GLOB:rpm=60,tpm=10000,concurrent=5,burndown=5       each setting optional, at least one limit

Each session, being an account, has each quota for each model that it calls. A quota is a bucket, full at
first, that refills evenly over a minute. As AWS documents, a request takes one request, its input tokens and
its `maxTokens` (without one, the most that the model gives); when it has ended it is charged what it used:
input tokens that were not read from a cache, and output tokens times the burndown rate, 5 for Claude from 3.7
on. The texts are recorded or reported; inferred are the even refill, and that a refusal costs no tokens.
"""

import re
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from converse_emulator.admission.lease import Lease, Need, Throttled, What
from converse_emulator.choosing.request import Request
from converse_emulator.models.model_ids import family
from converse_emulator.scripting.tokens import count_request

INFERENCE = frozenset(
    {
        "Converse",
        "ConverseStream",
        "InvokeModel",
        "InvokeModelWithResponseStream",
        "InvokeModelWithBidirectionalStream",
    }
)
MOST_OUTPUT = 4_096  # tokens, of a model that no catalogue tells it of
MOST_KEPT = 10_000  # accounts' models; the oldest is forgotten

_NOT_YET_3_7 = re.compile(r"claude-(instant|v\d|3-(haiku|sonnet|opus|5-))")


@dataclass(frozen=True, slots=True)
class Quota:
    """Limits of the models that a glob fits; None is none."""

    models: str
    rpm: int | None = None
    tpm: int | None = None
    concurrent: int | None = None
    burndown: float | None = None  # None: the model's own


def quota_from(text: str) -> Quota:
    """The quota that a text like `anthropic.*:rpm=60` describes; raises `ValueError`."""
    models, colon, settings = text.rpartition(":")
    if not colon or not models or "=" not in settings:
        raise ValueError(f"{text!r} is no quota; one looks like anthropic.*:rpm=60,tpm=10000,concurrent=5")
    found: dict[str, float] = {}
    for setting in settings.split(","):
        name, _, value = setting.partition("=")
        if name not in ("rpm", "tpm", "concurrent", "burndown"):
            raise ValueError(
                f"{name!r} is no setting of a quota; settings are rpm, tpm, concurrent, burndown"
            )
        number = r"\d{1,9}(\.\d{1,9})?" if name == "burndown" else r"\d{1,9}"
        if not re.fullmatch(number, value) or not float(value):
            raise ValueError(f"{setting!r} is no limit; {name} must be a number more than 0")
        found[name] = float(value) if name == "burndown" else int(value)
    if found.keys() <= {"burndown"}:
        raise ValueError(f"{text!r} limits nothing; give rpm, tpm or concurrent")
    return Quota(models, **found)  # type: ignore[arg-type]


def need_of(request: Request, most_output: int | None) -> Need:
    """What a request needs; `most_output` is its model's limit. The body may be anything."""
    total = count_request(request.body)
    config = request.body.get("inferenceConfig")
    asked = config.get("maxTokens") if isinstance(config, Mapping) else None
    output = asked if type(asked) is int and asked > 0 else most_output or MOST_OUTPUT
    return Need(total, total + output, burndown_of(request.model))


def burndown_of(model_id: str) -> float:
    """How many tokens of a quota an output token of this model costs."""
    return 5.0 if family(model_id) == "claude" and not _NOT_YET_3_7.search(model_id) else 1.0


@dataclass(slots=True)
class _Bucket:
    """What is left of a minute's worth; below zero after a charge that was not reserved."""

    capacity: int
    left: float
    at: float

    def refill(self, now: float) -> None:
        self.left = min(self.capacity, self.left + max(0.0, now - self.at) * self.capacity / 60)
        self.at = max(now, self.at)

    def has(self, amount: float) -> bool:
        return self.left >= amount - 1e-6


@dataclass(slots=True)
class Account:
    """The state of one quota for one session and model."""

    quota: Quota
    requests: _Bucket
    tokens: _Bucket
    running: int = 0

    def judge(self, need: Need, now: float) -> None:
        """Raise `Throttled` if the request is too much now."""
        self.requests.refill(now)
        self.tokens.refill(now)
        rpm, tpm, concurrent = self.quota.rpm, self.quota.tpm, self.quota.concurrent
        if concurrent is not None and self.running >= concurrent:
            raise self._throttled(
                "connections", f"{self.running} of {concurrent} requests at a time are running"
            )
        if rpm is not None and not self.requests.has(1):
            raise self._throttled("requests", f"{self.requests.left:.2f} of {rpm} requests a minute are left")
        if tpm is not None and not self.tokens.has(need.reserved):
            raise self._throttled(
                "tokens",
                f"{need.reserved} tokens are needed, {need.input} of them for the input, "
                f"and {self.tokens.left:.0f} of {tpm} a minute are left",
            )

    def _throttled(self, what: What, numbers: str) -> Throttled:
        return Throttled(what, f"quota {self.quota.models}: {numbers}")


@dataclass(slots=True)
class Quotas:
    """All quotas, and what is left of them."""

    quotas: Sequence[Quota] = ()
    _accounts: OrderedDict[tuple[Quota, str, str], Account] = field(default_factory=OrderedDict)

    def admit(self, request: Request, most_output: int | None, now: float) -> Lease:
        """Take what a request needs of every quota that fits; raises `Throttled`, and takes nothing."""
        if not self.quotas:
            return Lease()
        names = (request.model_id, request.model)
        fitting = [quota for quota in self.quotas if any(fnmatchcase(name, quota.models) for name in names)]
        if request.operation not in INFERENCE or not fitting:
            return Lease()
        need = need_of(request, most_output)
        accounts = [self._account(quota, request, now) for quota in fitting]
        for account in accounts:
            account.judge(need, now)
        for account in accounts:
            account.running += 1
            account.requests.left -= 1
            account.tokens.left -= need.reserved
        return Lease(need, accounts)

    def forget(self, session: str | None = None) -> None:
        """Begin anew for a session, or for all."""
        for key in [key for key in self._accounts if session in (None, key[1])]:
            del self._accounts[key]

    def _account(self, quota: Quota, request: Request, now: float) -> Account:
        key = (quota, request.session, request.model_id)
        if key not in self._accounts:
            if len(self._accounts) >= MOST_KEPT:
                self._accounts.popitem(last=False)
            self._accounts[key] = Account(quota, _full(quota.rpm, now), _full(quota.tpm, now))
        return self._accounts[key]


def _full(limit: int | None, now: float) -> _Bucket:
    return _Bucket(limit or 0, limit or 0, now)


def quotas_from(texts: str | Iterable[str]) -> Quotas:
    """The quotas that these texts describe; raises `ValueError`."""
    return Quotas([quota_from(text) for text in ([texts] if isinstance(texts, str) else texts)])
