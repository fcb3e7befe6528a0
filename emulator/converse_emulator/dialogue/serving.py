"""The way of a request for a session: like that of the others, but that its body is still to come."""

import logging
from typing import TYPE_CHECKING

from converse_emulator.choosing.request import Request
from converse_emulator.choosing.selectors import route, session_of
from converse_emulator.dialogue.session import OPERATION, Session
from converse_emulator.dialogue.tap import Tap
from converse_emulator.http.asgi import Receive, Scope, Send
from converse_emulator.http.head import RequestHead
from converse_emulator.http.inbound import Body
from converse_emulator.http.refusals import ServiceError
from converse_emulator.language.scenario import Json
from converse_emulator.playing.player import play
from converse_emulator.playing.recording import Recording
from converse_emulator.playing.wire import ClientLeft, Wire
from converse_emulator.shapes.service import UnknownPath, WrongMethod, find_operation
from converse_emulator.transport import connected

if TYPE_CHECKING:
    from converse_emulator.app import DataPlane

logger = logging.getLogger(__name__)


async def serve_dialogue(plane: "DataPlane", scope: Scope, receive: Receive, send: Send) -> None:
    """Answer the request, until either side has ended it."""
    tap = Tap(receive)
    try:
        async with connected(scope, tap.receive, send) as wire:
            try:
                await _exchange(plane, scope, tap, wire)
            except ClientLeft:
                return
            except Exception:
                logger.exception("The emulator failed in the middle of a session")
                await wire.hangup()
    finally:
        await tap.close()


async def _exchange(plane: "DataPlane", scope: Scope, tap: Tap, wire: Wire) -> None:
    head = RequestHead.of(scope)
    where = route(head.path.decode("latin-1"))
    try:
        _, model_id = find_operation(head.method, where.rest)
    except (UnknownPath, WrongMethod) as error:
        await plane.refuse(error, wire)
        return
    heard: list[Json] = []
    request = Request(
        OPERATION,
        model_id,
        head.headers,
        {"events": heard},
        session_of(where, head.headers, {}),
        where.scenario,
        head.http_version,
        base_id=plane.judge.catalogue.base_id(model_id),
    )
    recording = plane.journal.open(request, 0, plane.clock.now())
    now = recording.origin * plane.speed
    lease, problem = plane.front_door.enter(head, Body(), request, None, now)
    try:
        if refusal := problem or _refusal(plane, request, recording):
            timeline = plane.unscripted.failed(refusal, recording).unfolded()
        else:
            chain = plane.front_door.chain(head, request)
            verify = chain.verify if chain else None
            await Session(plane, request, recording, heard, tap, wire, verify).run()
            return
        recording.planned(timeline)
        await play(timeline, wire, plane.clock, plane.gates.of(request.session), recording)
    finally:
        output = None if recording.refused else recording.tokens_sent
        lease.settle(output, plane.clock.now() * plane.speed)


def _refusal(plane: "DataPlane", request: Request, recording: Recording) -> Exception | None:
    """Why no session can be had, if so: what is known of the request by now is its model."""
    try:
        if verdict := plane.judge.dialogue(request):
            plane.unscripted.refused(verdict, recording)
    except ServiceError as error:
        return error
    return None
