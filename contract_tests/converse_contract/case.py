"""A case: one promise of a streaming chat handler, as data and a check."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Literal, assert_never

from converse_contract.hop_state import HopState
from converse_contract.transcript import Transcript

Exchange = Mapping[str, Any]  # an entry of the emulator's journal, as JSON


class Level(Enum):
    """How binding a requirement is, in RFC 2119's words."""

    MUST = "MUST"
    SHOULD = "SHOULD"


@dataclass(frozen=True, slots=True)
class Limits:
    """What the handler under test declares about itself (seconds, counts)."""

    first_byte: float = 3.0
    between_bytes: float = 30.0
    total: float = 900.0
    tool: float = 10.0
    heartbeat: float = 15.0
    attempts: int = 3
    tool_rounds: int = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """One way in which what was seen differs from what is required."""

    expected: str
    actual: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """Both sides of one case: what arrived at the far end, and what the emulator did for it.

    `transcripts` holds one entry per request that the drive made (usually one); `exchanges` is the emulator's
    journal of the case's sessions, oldest first; `notes` are facts that a drive measured (numbers, texts);
    `hops` is what was between the two, the browser's end first.
    """

    transcripts: tuple[Transcript, ...]
    exchanges: tuple[Exchange, ...]
    limits: Limits
    notes: Mapping[str, Any] = field(default_factory=dict)
    hops: tuple[HopState, ...] = ()

    @property
    def transcript(self) -> Transcript:
        """The first (usually the only) transcript."""
        return self.transcripts[0]


Check = Callable[[Evidence], list[Finding]]  # [] when the requirement holds


@dataclass(frozen=True, slots=True)
class Ask:
    """Send the prompt and read to the end."""


@dataclass(frozen=True, slots=True)
class Leave:
    """Send the prompt and leave: once Bedrock is `called`, some `text` was seen, or a `tool` was announced.

    After leaving during a tool, the emulator is watched for as long as tools may take: calls may come late.
    """

    once: Literal["called", "text", "tool"]


@dataclass(frozen=True, slots=True)
class StepGates:
    """Open each gate only when all text before it has been seen at the far end.

    Every gate needs text before it that no earlier gate had. Where the text does not come, the notes say
    `stalled_gate`, `stalled_sent`, `stalled_seen`, and the remaining gates are opened.
    """

    gates: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Together:
    """Send the prompt `times` times at once, each with a session of its own."""

    times: int


@dataclass(frozen=True, slots=True)
class InTurn:
    """Send the prompt `times` times, one after the other, in one session: replies are used up in order."""

    times: int


@dataclass(frozen=True, slots=True)
class Probe:
    """Send the prompt and, while it is being answered, ask for the health page again and again.

    Notes: `probe_seconds`, the slowest answer.
    """


@dataclass(frozen=True, slots=True)
class ComeBack:
    """Read the answer, and then ask for it again as an EventSource does: `GET`, with the last event's id.

    `to` is the `answer`, where the response's Content-Location says that it is, or the `question`, where it
    was asked. `having` is how much is said to be there: `all` of its events or `half` of them. What comes
    then is a transcript of its own.
    """

    to: Literal["answer", "question"]
    having: Literal["all", "half"] = "all"


@dataclass(frozen=True, slots=True)
class AskWrongly:
    """Send a request that has no question in it."""


@dataclass(frozen=True, slots=True)
class ReadSlowly:
    """Send the prompt, and take nothing of the answer for so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Cancel:
    """Send the prompt and, once there is text, say that the answer is not wanted any more."""


@dataclass(frozen=True, slots=True)
class Trespass:
    """As another user, try to listen to the answer, and to have one of one's own published there.

    Notes: `listened`, what the Event API answered to each channel; `published`, the handler's status.
    """


@dataclass(frozen=True, slots=True)
class FetchMissed:
    """Read the answer, and ask for what is missing in it by number. Notes: `mended`, the whole text then."""


# What a handler may lack, and why its cases are then skipped.
CAPABILITIES = {
    "tools": "the handler has no tools",
    "thinking": "the handler does not show reasoning",
    "heartbeat": "the handler sends no heartbeats",
    "short_total": "the declared total time limit is too long to wait for",
}

OverAPath = ComeBack | AskWrongly | ReadSlowly | Cancel | Trespass | FetchMissed
Drive = Ask | Leave | StepGates | Together | InTurn | Probe | OverAPath


LEAVING = {"called": "Bedrock is called", "text": "there is text", "tool": "a tool runs"}


def explain(drive: Drive) -> str:
    """One line: what the client does."""
    match drive:
        case Ask():
            return "asks and reads to the end"
        case Leave(once):
            return f"leaves once {LEAVING[once]}"
        case StepGates(gates):
            return f"lets the model go on past {', '.join(gates)} once all text before it has been seen"
        case Together(times):
            return f"asks {times} times at once"
        case InTurn(times):
            return f"asks {times} times, one after the other"
        case Probe():
            return "asks for the health page again and again while it reads"
        case ComeBack(to, having):
            return (
                f"reads to the end, and comes back to the {to} with the id of the last of {having} its events"
            )
        case AskWrongly():
            return "sends a request without a question"
        case ReadSlowly(seconds):
            return f"asks, takes nothing for {seconds:g} s, and then reads to the end"
        case Cancel():
            return "cancels the answer once there is text"
        case Trespass():
            return "is asked by one user, and another one tries to listen, and to write there"
        case FetchMissed():
            return "reads to the end, and asks for what is missing by its number"
        case _ as never:
            assert_never(never)


Script = str | list[Any] | Callable[[Limits], list[Any]]


@dataclass(frozen=True, slots=True)
class Case:
    """One promise of a handler.

    `id` is dotted (section.number) and never changes its meaning. `scenario` names a library scenario, or is
    the replies themselves as the YAML has them: one per call of Bedrock, used up in order; where their times
    have to fit the declared limits, it makes the replies from those. `script` is what to play. `needs` names
    capabilities (keys of `CAPABILITIES`) that a handler may lack; the case is then skipped, with the reason.
    """

    id: str
    title: str
    requirement: str
    why: str
    scenario: Script
    check: Check
    level: Level = Level.MUST
    drive: Drive = Ask()
    needs: frozenset[str] = frozenset()

    def script(self, limits: Limits) -> str | list[Any]:
        """The name of the library scenario to play, or the replies."""
        return self.scenario(limits) if callable(self.scenario) else self.scenario
