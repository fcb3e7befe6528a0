"""What was seen, as lines for people: the response's events and the emulator's acts on one time scale."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from converse_contract.case import Evidence, Exchange
from converse_contract.checks.calls import described
from converse_contract.hop_state import Direction, HopState, What
from converse_contract.transcript import Transcript, explain, how_it_ended

LONGEST_RUN = 12  # moments of one kind that a text shows in a row; HTML and JSON have all
WAYS: dict[Direction, str] = {"up": "to the handler", "down": "to the browser"}
CARRIED: tuple[What, ...] = ("received", "passed")
NOT_ACTS = ("client left", "stopped", "outage")  # ends of an exchange that no act of the emulator tells


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened, `at` seconds after the request was sent.

    `injected` marks misbehaviour that the scenario asked for.
    """

    at: float
    what: str
    kind: str
    injected: bool = False

    def __str__(self) -> str:
        return f"+{self.at:.3f} {self.what}{' (injected)' if self.injected else ''}"


def received(transcript: Transcript) -> list[Moment]:
    """The events, and at the end how the response ended."""
    moments = [
        Moment(arrival.at, explain(arrival.event), type(arrival.event).__name__)
        for arrival in transcript.arrivals
    ]
    return [*moments, Moment(transcript.ended_at, how_it_ended(transcript).rpartition(" at ")[0], "end")]


def performed(exchange: Exchange, sent_at: float) -> list[Moment]:
    """The emulator's acts in one exchange; `sent_at` is the epoch time of the handler's request."""
    offset = exchange["started_at"] - sent_at
    moments = [Moment(offset, f"call: {described(exchange)}", "call")]
    moments += [
        Moment(offset + act["actual"], act["what"], act["what"].partition(" ")[0], act["injected"])
        for act in exchange["acts"]
    ]
    if exchange.get("miss"):
        moments.append(Moment(offset, f"miss: {exchange['miss']}", "miss"))
    if exchange["ended"] in NOT_ACTS:
        moments.append(Moment(offset + exchange["ended_at"], exchange["ended"], "end"))
    return moments


def passed_on(hop: HopState, sent_at: float) -> list[Moment]:
    """What came to a hop and what left it, either way, and whatever else happened there."""
    moments = []
    for direction, where in WAYS.items():
        for what in CARRIED:
            if pieces := [each for each in hop.of(what, direction) if each.size]:
                size = sum(each.size for each in pieces)
                said = f"{what} {size} B {where}"
                if len(pieces) > 1:
                    said += f", {len(pieces)} pieces until +{pieces[-1].at - sent_at:.3f}"
                moments.append(Moment(pieces[0].at - sent_at, said, what))
    moments += [
        Moment(each.at - sent_at, f"{each.what} {each.detail}".rstrip(), each.what)
        for each in hop.passings
        if each.what not in CARRIED
    ]
    return sorted(moments, key=lambda moment: moment.at)


def condensed(moments: Iterable[Moment]) -> Iterator[str]:
    """The moments as lines; in a long run of one kind, the middle is counted and not shown."""
    for _, group in groupby(moments, lambda moment: moment.kind):
        run = list(map(str, group))
        if len(run) <= LONGEST_RUN:
            yield from run
        else:
            yield from [*run[:3], f"… {len(run) - 6} more of these …", *run[-3:]]


def both_sides(evidence: Evidence) -> Iterator[tuple[str, list[Moment]]]:
    """Label and moments of every response, every hop and every exchange of the case."""
    many = len(evidence.transcripts) > 1
    for number, transcript in enumerate(evidence.transcripts, 1):
        yield (f"received {number}" if many else "received"), received(transcript)
    origin = evidence.transcript.sent_at
    for hop in evidence.hops:
        yield hop.name, passed_on(hop, origin)
    for number, exchange in enumerate(evidence.exchanges, 1):
        label = f"emulator {number}" if len(evidence.exchanges) > 1 else "emulator"
        yield label, performed(exchange, origin)
    if not evidence.exchanges:
        yield "emulator", []
