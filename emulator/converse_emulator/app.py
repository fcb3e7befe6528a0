"""The data plane: an ASGI application that answers as `bedrock-runtime` does, one exchange at a time.

    path ─▶ operation ─▶ body ─▶ front door ─▶ judgement ─▶ selection ─▶ timeline ─▶ play

It stands in front of the control routes, which are Starlette's: through Starlette every stream would cost a
third of a millisecond more. Whatever is wrong, the answer has the shape of the real service's errors.
"""

import logging
import time
from collections.abc import Callable
from functools import cached_property
from random import Random
from typing import TYPE_CHECKING

from converse_emulator.admission.front_door import FrontDoor
from converse_emulator.admission.lease import Lease
from converse_emulator.choosing.request import Request
from converse_emulator.choosing.selection import Selector
from converse_emulator.choosing.selectors import session_of
from converse_emulator.http.asgi import App, Receive, Scope, Send
from converse_emulator.http.head import RequestHead
from converse_emulator.http.inbound import Body, read_body
from converse_emulator.judging.judge import Judge
from converse_emulator.language.library import Library
from converse_emulator.opening import Answer, Opening, Unrecorded
from converse_emulator.outage import Begin
from converse_emulator.playing.acts import Timeline, Whole, folded
from converse_emulator.playing.clock import RealClock
from converse_emulator.playing.gates import Gates
from converse_emulator.playing.journal import Journal
from converse_emulator.playing.recording import Recording
from converse_emulator.playing.wire import ClientLeft, Wire
from converse_emulator.reading import NotServed, Reader
from converse_emulator.scripting.prompt_cache import PromptCache
from converse_emulator.shapes.service import UnknownPath, WrongMethod, violations
from converse_emulator.side.async_invokes import AsyncInvokes
from converse_emulator.side.side_calls import SideCalls, input_of
from converse_emulator.spelling.compiler import Compiler
from converse_emulator.spelling.operations import read
from converse_emulator.spelling.timeline import compile_reply
from converse_emulator.transport import connected
from converse_emulator.unscripted import Unscripted, at_once
from converse_emulator.wires.uvicorn_wire import UvicornWire

if TYPE_CHECKING:
    from converse_emulator.language.wrap import Wrap

CONTROL = "/_emulator/"
METRICS = "/metrics"  # a control route as well, and no path of the service
DIALOGUE = "/invoke-with-bidirectional-stream"  # its body comes while it is answered

logger = logging.getLogger(__name__)


class DataPlane:
    """Answers requests, and keeps what the control routes and the in-process API look at."""

    def __init__(
        self,
        library: Library,
        *,
        seed: str,
        speed: float,
        control: Callable[["DataPlane"], App],
        judge: Judge | None = None,
        front_door: FrontDoor | None = None,
        wrap: "Wrap | None" = None,
    ) -> None:
        self.library = library
        self.seed = seed
        self.speed = speed
        self.judge = judge or Judge()
        self.front_door = front_door or FrontDoor()
        self.side_calls = SideCalls(lambda: self.judge.catalogue, AsyncInvokes(seed, time.time))
        self.selector = Selector(library, seed, wrap)
        self.journal = Journal()
        self.gates = Gates()
        self.prompt_cache = PromptCache()
        self.clock = RealClock()
        self.reader = Reader(self.judge, self.side_calls.operations)
        self.compiler = Compiler(speed)
        self.outage: Begin | None = None  # of the server
        self.unscripted = Unscripted(seed)
        self._make_control = control

    @cached_property
    def _control(self) -> App:
        return self._make_control(self)

    def reset(self, session: str | None = None) -> None:
        """Forget a session or all: what is armed, its exchanges, its gates. What runs goes on."""
        self.selector.reset(session)
        self.journal.forget(session)
        self.side_calls.asyncs.forget(session)
        self.prompt_cache.forget(session)
        self.front_door.forget(session)
        self.gates.of(session or "").forget(everywhere=session is None)

    def warm(self) -> None:
        """Read and compile what the first request would wait for otherwise."""
        violations("ConverseStream", "", {})
        self.judge.catalogue.find("")
        from converse_emulator.judging import rules

        del rules

    def close(self) -> None:
        """Nothing more is answered: what is open was stopped. The journal stays."""
        self.journal.close(self.clock.now())
        self.clock.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"].startswith(CONTROL) or scope["path"] == METRICS:
            await self._control(scope, receive, send)
            return
        if scope["path"].endswith(DIALOGUE):
            from converse_emulator.dialogue.serving import serve_dialogue

            await serve_dialogue(self, scope, receive, send)
            return
        async with connected(scope, receive, send) as wire:
            try:
                await self._exchange(scope, receive, wire)
            except ClientLeft:
                return  # before its request was there
            except Exception:
                logger.exception("The emulator failed in the middle of an answer")
                await wire.hangup()

    async def _exchange(self, scope: Scope, receive: Receive, wire: UvicornWire) -> None:
        origin = self.clock.now()
        head = RequestHead.of(scope)
        try:
            self.reader.target(head.method, head.path)
        except (UnknownPath, WrongMethod, NotServed) as error:
            await self.refuse(error, wire)
            return
        body = await read_body(receive, head.headers, self.reader.body)
        await self._open(head, body, origin).play(wire)

    def answer(self, head: RequestHead, raw: bytes) -> Answer:
        """The answer to a request that has come whole."""
        try:
            return self._open(head, self.reader.body(raw), self.clock.now())
        except (UnknownPath, WrongMethod, NotServed) as error:
            return self._unserved(error)

    def _unserved(self, error: Exception) -> Answer:
        """The answer to what was not meant for a model."""
        return Unrecorded(at_once(self.unscripted.response(error), "error"))

    def _open(self, head: RequestHead, body: Body, origin: float) -> Opening:
        """Take a request in, and prepare the answer."""
        target = self.reader.target(head.method, head.path)
        operation, model_id = target.operation, target.model_id
        headers = head.headers
        content, native = read(operation.name, target.base_id or model_id, headers, body.content)
        session = session_of(target.where, headers, content)
        if operation.name in self.side_calls.operations:
            content = input_of(operation, target.where.rest, head.query.decode("latin-1"), content)
            model_id = model_id or str(content.get("modelId", ""))
        request = Request(
            operation.name,
            model_id,
            headers,
            content,
            session,
            target.where.scenario,
            head.http_version,
            native,
            target.base_id,
        )
        recording = self.journal.open(request, body.size, origin)
        lease, problem = self.front_door.enter(head, body, request, target.most_output, origin * self.speed)
        reply = self._reply_to(request, recording, problem, lease)
        recording.planned(reply)
        for fault in reply.nowhere if isinstance(reply, Timeline) else ():
            logger.warning("Nothing of %s came to pass: the response has no such place", fault)

        def settle(ended: Recording) -> None:
            if lease.accounts:
                lease.settle(None if ended.refused else ended.tokens_sent, self.clock.now() * self.speed)

        return Opening(reply, recording, self.clock, self.gates.of(session), settle)

    async def refuse(self, error: Exception, wire: Wire) -> None:
        """Answer what was not meant for a model; nothing is recorded."""
        await self._unserved(error).play(wire)

    def _reply_to(
        self, request: Request, recording: Recording, problem: Exception | None, lease: Lease
    ) -> Timeline | Whole:
        """What to play: the reply, or the error that tells why there is none."""
        try:
            if problem:
                raise problem
            return self._reply(request, recording, lease)
        except Exception as error:
            return self.unscripted.failed(error, recording)

    def _reply(self, request: Request, recording: Recording, lease: Lease) -> Timeline | Whole:
        if request.operation in self.side_calls.operations:
            return self._side_call(request, recording)
        request, refused = self.judge.inference(request)
        if refused:
            return self.unscripted.refused(refused, recording)
        cache = self.prompt_cache.use(request.session, request.model, request.body, self.clock.now())
        if cache is not None:
            request = request._replace(cache=cache)
            lease.cached = cache.read
        selection = self.selector.select(request, recording.origin * self.speed)
        name = selection.scenario.name if selection.scenario else None
        seed = selection.seed(self.seed, request.session)
        recording.chosen(name, selection.chosen_by, seed, selection.instead, selection.wrap)
        reply = selection.reply
        if reply is None:
            from converse_emulator.answering.answer import (
                automatic_reply,  # it needs faker, which takes 0.2 s
            )

            reply = automatic_reply(request, Random(seed))
            compiled = compile_reply(
                reply, request, seed=seed, now=time.time(), speed=self.speed, wrap=selection.wrap
            )
            return folded(compiled)
        return self.compiler.compile(reply, request, seed=seed, now=time.time(), wrap=selection.wrap)

    def _side_call(self, request: Request, recording: Recording) -> Timeline | Whole:
        """The answer of an operation besides inference."""
        if refused := self.judge.side_call(request):
            return self.unscripted.refused(refused, recording)
        response = self.unscripted.delivery().json(self.side_calls.answer(request), 0.0)
        return at_once(response, "answer")
