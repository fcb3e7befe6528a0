"""Evidence made by hand, for tests of what is judged and told."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Any, NamedTuple

import pytest
from converse_contract.case import Case, Evidence, Exchange, Finding, Level, Limits
from converse_contract.demo import LIMITS
from converse_contract.latency import Comparison, Timing
from converse_contract.serving import environment, serving
from converse_contract.transcript import (
    Arrival,
    Ending,
    Finished,
    Observed,
    Sentinel,
    Started,
    Text,
    Transcript,
)
from converse_contract.verdict import Outcome, Result, Results, Verdict

SENT_AT = 1_000_000.0
HEADERS = (
    ("content-type", "text/event-stream; charset=utf-8"),
    ("cache-control", "no-cache, no-transform"),
    ("x-accel-buffering", "no"),
)


def make_transcript(
    *events: Observed,
    every: float = 0.1,
    ids: Sequence[str | None] | None = None,
    ending: Ending = "complete",
    ended_at: float | None = None,
    status: int | None = 200,
    headers: tuple[tuple[str, str], ...] = HEADERS,
    raw: bytes = b"",
    session: str = "one",
    sent_at: float = SENT_AT,
) -> Transcript:
    """Event i (from 1) arrives at i times `every`, with the id i unless `ids` says otherwise."""
    own = [str(n) for n, _ in enumerate(events, 1)] if ids is None else ids
    arrivals = tuple(
        Arrival(n * every, event, one) for n, (event, one) in enumerate(zip(events, own, strict=True), 1)
    )
    last = (len(events) + 1) * every if ended_at is None else ended_at
    return Transcript(sent_at, status, headers, arrivals, ending, last, raw, session)


def make_exchange(**members: Any) -> Exchange:
    """A finished ConverseStream call, begun 10 ms after the request; `members` replace what they name."""
    return {
        "session": "one",
        "operation": "ConverseStream",
        "status": 200,
        "state": "done",
        "ended": "finished",
        "started_at": SENT_AT + 0.01,
        "ended_at": 0.3,
        "text_sent": "Hello",
        "tokens_sent": 2,
        "tokens_unsent": 0,
        "miss": None,
        "seed": "7f3a",
        "acts": [],
        "request": {"headers": {}, "body": {"messages": []}},
        **members,
    }


def make_evidence(
    *events: Observed,
    exchanges: Sequence[Mapping[str, Any]] = ({},),
    limits: Limits | None = None,
    notes: Mapping[str, Any] | None = None,
    transcripts: tuple[Transcript, ...] | None = None,
    **transcript: Any,
) -> Evidence:
    """One response with these events, beside one call of Bedrock; `exchanges` are members of each call."""
    return Evidence(
        transcripts=(make_transcript(*events, **transcript),) if transcripts is None else transcripts,
        exchanges=tuple(make_exchange(**members) for members in exchanges),
        limits=limits or Limits(),
        notes=notes or {},
    )


@pytest.fixture
def transcript_of() -> Callable[..., Transcript]:
    """`make_transcript`."""
    return make_transcript


@pytest.fixture
def exchange_of() -> Callable[..., Exchange]:
    """`make_exchange`."""
    return make_exchange


@pytest.fixture
def evidence_of() -> Callable[..., Evidence]:
    """`make_evidence`."""
    return make_evidence


ACTS = (
    {"planned": 0.0, "actual": 0.001, "what": "head 200", "injected": False, "bytes": 0, "tokens": 0},
    {
        "planned": 0.0,
        "actual": 0.002,
        "what": "send 91 B (messageStart)",
        "injected": False,
        "bytes": 91,
        "tokens": 0,
    },
    {"planned": 0.1, "actual": 0.1, "what": "finish", "injected": True, "bytes": 0, "tokens": 0},
)


def make_results() -> Results:
    """A run with one case of every outcome; texts hold what HTML, XML and terminals must not trip over."""
    nasty = make_evidence(
        Started(),
        Text("<b>& \x1b[31m\x00"),
        *(Text(f"w{n} ") for n in range(40)),
        every=0.01,
        exchanges=[
            {"acts": ACTS, "ended": "client left"},
            {"miss": "nothing is armed <here>", "status": 400},
        ],
        notes={"probe_seconds": 0.5},
    )
    whole = make_evidence(
        Started(), Text("Hi"), Finished("end_turn", False, 1, 1), Sentinel(), exchanges=[{"acts": ACTS}]
    )
    failed = (Finding("Failed", "Finished(<stop>) & more"), Finding("a", "b"))
    judged: list[tuple[str, Verdict, Evidence | None]] = [
        ("1.1", Verdict(Outcome.PASSED), whole),
        ("1.2", Verdict(Outcome.FAILED, failed), nasty),
        ("1.3", Verdict(Outcome.NON_STRICT, failed[1:]), whole),
        ("2.1", Verdict(Outcome.SKIPPED, reason="the handler has no tools"), None),
        ("2.2", Verdict(Outcome.COULD_NOT_RUN, reason="no handler at <http://h>"), None),
        ("2.10", Verdict(Outcome.CASE_BUG, reason="the check raised KeyError: 'x'"), whole),
    ]
    results = tuple(
        Result(
            Case(
                case_id,
                f"Title <{case_id}>.",
                f"It MUST hold, {case_id}.",
                "Because & so.",
                "text/short-answer",
                check=lambda _: [],
                level=Level.SHOULD if case_id == "1.3" else Level.MUST,
            ),
            verdict,
            evidence,
            0.25,
        )
        for case_id, verdict, evidence in judged
    )
    return Results(
        results,
        "http://127.0.0.1:8000",
        "http://127.0.0.1:8080",
        Limits(),
        "converse-contract run http://127.0.0.1:8000 --emulator http://127.0.0.1:8080",
        SENT_AT,
        1.5,
        {"1": "The stream", "2": "Tools & more"},
    )


@pytest.fixture
def some_results() -> Results:
    """`make_results`."""
    return make_results()


@pytest.fixture
def comparison() -> Comparison:
    """A before and after."""
    return Comparison(Timing(4.2, 6.0, 4.2), Timing(0.8, 4.4, 0.8))


class Asked(NamedTuple):
    """A request that a raw server got."""

    path: str
    body: bytes
    server: asyncio.Server


Answer = Callable[[Asked, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serve_raw(answer: Answer) -> AsyncIterator[str]:
    """A server that answers each request with the bytes that `answer` writes, then closes the connection."""

    talks: set[asyncio.Task[None]] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                head = await reader.readuntil(b"\r\n\r\n")
                length = re.search(rb"(?i)content-length: (\d+)", head)
                body = await reader.readexactly(int(length[1]) if length else 0)
                await answer(Asked(head.split()[1].decode(), body, server), reader, writer)
                await writer.drain()
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talks.add(asyncio.create_task(talk(reader, writer)))

    async with await asyncio.start_server(accept, "127.0.0.1", 0) as server:
        try:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        finally:
            for one in talks:
                one.cancel()
            await asyncio.gather(*talks, return_exceptions=True)


@pytest.fixture
def raw_server() -> Callable[[Answer], AbstractAsyncContextManager[str]]:
    """`serve_raw`."""
    return serve_raw


@pytest.fixture(scope="module")
def emulator_url() -> Iterator[str]:
    """An emulator in this process."""
    from converse_emulator import Emulator

    with Emulator() as bedrock:
        yield bedrock.endpoint_url


@pytest.fixture(scope="module")
def handler_url(emulator_url: str) -> Iterator[str]:
    """A handler that keeps the demo's limits and does everything right, connected with that emulator."""
    with serving("converse_contract.mutants", "base", env=environment(emulator_url, LIMITS)) as url:
        yield url
