"""What a client does that knows more of its path than how to ask: it comes back, cancels, trespasses."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, assert_never
from urllib.parse import urljoin

from converse_contract.case import AskWrongly, Cancel, ComeBack, FetchMissed, OverAPath, ReadSlowly, Trespass
from converse_contract.delivery.appsync import AppSyncListener, Visitor
from converse_contract.dialect import HttpRequest
from converse_contract.listen import Listener
from converse_contract.transcript import Text, Transcript
from converse_contract.upstream import prompt_for

Driven = tuple[tuple[Transcript, ...], Mapping[str, Any]]
PATIENCE = 3.0  # seconds of silence, after which a browser asks for what it may have missed
NONSENSE = b'{"messages": "none"}'


async def over_a_path(
    drive: OverAPath, listener: Callable[[], Listener], session: str, scenario: str | None
) -> Driven:
    """The transcripts and the notes of such a drive."""
    one = listener()
    asked = one.target.dialect.request(prompt_for(session, scenario))
    match drive:
        case ComeBack(to, having):
            first = await one.hear(asked, session)
            again = _coming_back(first, asked, to, having)
            return (first, await listener().hear(again, session)), {}
        case AskWrongly():
            return (await one.hear(replace(asked, body=_without_question(asked.body)), session),), {}
        case ReadSlowly(seconds):
            one.rest(seconds)
            return (await one.hear(asked, session),), {}
        case Cancel():
            hearing = asyncio.create_task(one.hear(asked, session))
            await one.until(lambda: one.saw(Text))
            await one.cancel()
            return (await hearing,), {}
        case Trespass():
            assert isinstance(one, AppSyncListener)
            hearing = asyncio.create_task(one.hear(asked, session))
            await one.until(lambda: one.saw(Text))
            notes = await _trespass(one, json.loads(asked.body))
            return (await hearing,), notes
        case FetchMissed():
            assert isinstance(one, AppSyncListener)
            one.patience = PATIENCE
            return (await one.hear(asked, session),), {"mended": await one.mended()}
        case _ as never:
            assert_never(never)


def _coming_back(first: Transcript, asked: HttpRequest, to: str, having: str) -> HttpRequest:
    """As an EventSource does: a GET with the id of the last event it has."""
    ids = [arrival.id for arrival in first.arrivals if arrival.id is not None]
    last = ids[-1 if having == "all" else len(ids) // 2] if ids else ""
    path = asked.path
    if to == "answer":
        path = urljoin(asked.path, first.header("content-location") or "")
    headers = {"accept": "text/event-stream", "cache-control": "no-cache", "last-event-id": last}
    return HttpRequest("GET", path, headers, b"")


def _without_question(body: bytes) -> bytes:
    """The request, with whatever is a list or a text in it gone, but for what says where it goes."""
    asked = json.loads(body)
    kept = (
        {name: value for name, value in asked.items() if name == "action"} if isinstance(asked, dict) else {}
    )
    return json.dumps({**kept, **json.loads(NONSENSE)}).encode()


async def _trespass(one: AppSyncListener, body: Mapping[str, Any]) -> Mapping[str, Any]:
    """What another user gets who tries to listen to this one's channel, and to write to it."""
    other = await Visitor.of(one.visitor.url, one.visitor.client)
    stem = one.visitor.channels.strip("/").split("/")[0]
    channels = (one.channel, f"{one.visitor.channels}*", f"/{stem}/*")
    async with other.connected() as socket:
        listened = {channel: await other.subscribe(socket, channel) for channel in channels}
    published = await other.ask(body, one.channel)
    return {"listened": listened, "published": published.status_code}
