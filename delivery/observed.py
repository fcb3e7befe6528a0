"""What transcripts, journals and relays say, in numbers and in words."""

from collections.abc import Iterable, Sequence
from statistics import median, quantiles
from typing import Any

from converse_contract.hop_state import HopState
from converse_contract.transcript import (
    Failed,
    Finished,
    Heartbeat,
    ToolFinished,
    ToolStarted,
    Transcript,
)
from converse_hops.passage import Record

from delivery.facts import Lag


def lag(seconds: Iterable[float]) -> Lag:
    """The lag of these many."""
    ordered = sorted(seconds)
    if len(ordered) < 2:
        return Lag(*(ordered or [0.0]) * 2)
    return Lag(median(ordered), quantiles(ordered, n=20)[-1])


def lags(records: Iterable[Record]) -> list[float]:
    """How long each piece that came to a hop, on its way down, was there."""
    waiting, received, passed, found = list[tuple[int, float]](), 0, 0, list[float]()
    for each in records:
        if each.direction == "down" and each.what == "received" and each.size:
            received += each.size
            waiting.append((received, each.at))
        elif each.direction == "down" and each.what == "passed":
            passed += each.size
            while waiting and waiting[0][0] <= passed:
                found.append(each.at - waiting.pop(0)[1])
    return found


def sent_at(exchanges: Sequence[Any]) -> list[float]:
    """The moments at which the emulator sent text, in epoch seconds."""
    return [
        exchange["started_at"] + act["actual"]
        for exchange in exchanges
        for act in exchange["acts"]
        if act["tokens"]
    ]


def held_by(exchanges: Sequence[Any], hops: Sequence[HopState]) -> str:
    """Who keeps text back, where somebody does."""
    if any(exchange["operation"] == "Converse" for exchange in exchanges):
        return "the handler: it calls Converse, which answers when all is generated"
    for hop in hops:
        if hop.remedy:
            return f"the {hop.name}, with {hop.setting}; this path needs {hop.remedy}"
    return "the handler"


def ending(transcript: Transcript) -> str:
    """How an answer that went wrong looks at the browser."""
    shown = "what had come" if transcript.text else "nothing"
    match transcript.terminal:
        case Failed(code):
            return f"{shown}, then the event `{code}`"
        case Finished():
            return f"{shown}, then `message_stop`: as if it were whole"
    if transcript.status is not None and transcript.status >= 400:
        return f"status {transcript.status}"
    match transcript.ending:
        case "complete":
            return f"{shown}, then a clean end without a terminal event"
        case "cut" | "no response":
            return f"{shown}, then a cut"
        case _:
            return f"{shown}, then silence: nobody tells"


def pause(transcript: Transcript) -> str:
    """What shows of a tool that takes its time."""
    began, over = transcript.first(ToolStarted), transcript.first(ToolFinished)
    if not began or not over or not isinstance(began.event, ToolStarted):
        return "nothing shows of it"
    beats = sum(
        isinstance(each.event, Heartbeat) and began.at < each.at < over.at for each in transcript.arrivals
    )
    kept = f", {beats} heartbeat{'s' * (beats != 1)}" if beats else ""
    return f"`{began.event.label}` for {over.at - began.at:.1f} s{kept}, then text"
