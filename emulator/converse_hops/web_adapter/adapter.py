"""The adapter: takes invocations from the Runtime API and has a web application answer them.

    with Function() as function, WebAdapter("app:app", function.runtime_api, invoke_mode="response_stream"):
        …

As a program it is what a function runs: `converse-emulator hop web-adapter --app app:app`. The invoke mode is
a switch to forget: by default, as in the real one, a response is collected, whatever the application streams.
Not known of the real one: how version 1.0 tells a failure in the middle; here it is as 2025's did.
"""

import argparse
import asyncio
import base64
import json
import logging
import os
import sys
from contextlib import suppress
from importlib import import_module
from typing import Any, ClassVar, Literal, Self, get_args

from converse_hops.functions.prelude import DELIMITER
from converse_hops.hop import Hop
from converse_hops.http.client import OriginError
from converse_hops.passage import Passage
from converse_hops.web_adapter.asgi import Asgi, AsgiApplication
from converse_hops.web_adapter.events import is_2_0, prelude, web_request, whole_response
from converse_hops.web_adapter.messages import Application, ApplicationError, WebRequest, WebResponse
from converse_hops.web_adapter.origin import UrlApplication
from converse_hops.web_adapter.runtime_client import Call, RuntimeClient

InvokeMode = Literal["buffered", "response_stream"]
READINESS = 0.01  # seconds between two questions whether the application is ready
PAUSE = 0.1  # seconds until a Runtime API that is gone is looked for again

_log = logging.getLogger("converse_hops.web_adapter")


class WebAdapter(Hop):
    """`app` is an ASGI application, where to import one from (`module:name`), or the URL of any web server.

    `runtime_api` is HOST:PORT, as in a function's `AWS_LAMBDA_RUNTIME_API`. Before the first invocation
    `readiness_path` is asked for until the application answers it with less than 500.
    """

    listens: ClassVar[bool] = False

    def __init__(
        self,
        app: Asgi | str,
        runtime_api: str,
        *,
        invoke_mode: InvokeMode = "buffered",
        readiness_path: str = "/",
    ) -> None:
        super().__init__()
        if invoke_mode not in get_args(InvokeMode):
            raise ValueError(f"the invoke mode is {' or '.join(get_args(InvokeMode))}, not {invoke_mode!r}")
        self.url = f"http://{runtime_api}"
        self._app = app if callable(app) or "://" in app else imported(app)
        self._mode = invoke_mode
        self._readiness_path = readiness_path
        self._runtime = RuntimeClient(self.url)
        self._application: Application
        self._work: asyncio.Task[None]

    def start(self) -> Self:
        """Take invocations, until `stop`. Raises `ValueError` if the application's own start-up fails."""
        self._thread.start()
        try:
            self._thread.run(self._begin())
        except ApplicationError as error:
            self._thread.stop()
            raise ValueError(f"the application: {error}") from error
        return self

    async def _begin(self) -> None:
        app = self._app
        self._application = UrlApplication(app) if isinstance(app, str) else AsgiApplication(app)
        try:
            await self._application.start()
        except ApplicationError as error:
            with suppress(OriginError):
                await self._runtime.fail_init("Runtime.ExitError", str(error))
            raise
        self._work = asyncio.get_running_loop().create_task(self._serve(), name="web adapter")

    async def _close(self) -> None:
        self._work.cancel()
        await asyncio.wait({self._work})
        await self._application.stop()

    async def _serve(self) -> None:
        await self._be_ready()
        while True:
            try:
                await self._answer(await self._runtime.next())
            except OriginError as error:
                _log.warning("%s", error)
                await asyncio.sleep(PAUSE)

    async def _be_ready(self) -> None:
        while True:
            question = WebRequest("GET", self._readiness_path, (("host", "127.0.0.1"),), b"")
            with suppress(ApplicationError):
                async with self._application.answer(question) as response:
                    if response.status < 500:
                        return
            await asyncio.sleep(READINESS)

    async def _answer(self, call: Call) -> None:
        request = web_request(call)
        passage = self.journal.open(f"{request.method} {request.target}")
        passage.note("up", "received", len(request.body))
        try:
            async with self._application.answer(request) as response:
                passage.note("up", "passed", len(request.body))
                if self._mode == "response_stream":
                    await self._stream(call, response, passage)
                else:
                    await self._collect(call, response, passage)
        except ApplicationError as error:
            passage.note("down", "failed", detail=str(error))
            await self._runtime.fail(call.id, "Runtime.Unknown", str(error))
        else:
            passage.note("down", "ended")

    async def _stream(self, call: Call, response: WebResponse, passage: Passage) -> None:
        async with self._runtime.stream(call.id) as send:
            await send(prelude(response))
            await send(DELIMITER)
            try:
                async for chunk in response.chunks:
                    passage.note("down", "received", len(chunk))
                    await send(chunk)
                    passage.note("down", "passed", len(chunk))
            except ApplicationError as error:
                passage.note("down", "failed", detail=str(error))
                await send(_trailers_as_body(str(error)))

    async def _collect(self, call: Call, response: WebResponse, passage: Passage) -> None:
        body = bytearray()
        async for chunk in response.chunks:
            passage.note("down", "received", len(chunk))
            body += chunk
        whole = whole_response(response, bytes(body), payload_2_0=is_2_0(json.loads(call.event)))
        await self._runtime.respond(call.id, whole)
        passage.note("down", "passed", len(body))

    @classmethod
    def add_options(cls, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--app", required=True, help="an ASGI application, module:name, or a server's URL"
        )
        parser.add_argument(
            "--invoke-mode",
            choices=get_args(InvokeMode),
            default=os.environ.get("AWS_LWA_INVOKE_MODE", "buffered").lower(),
            help="collect a response, or stream it (default: AWS_LWA_INVOKE_MODE, else buffered)",
        )
        parser.add_argument(
            "--readiness-path",
            default=os.environ.get("AWS_LWA_READINESS_CHECK_PATH", "/"),
            help="asked for until the application is ready (default: AWS_LWA_READINESS_CHECK_PATH, else /)",
        )
        parser.add_argument(
            "--runtime-api",
            metavar="HOST:PORT",
            default=os.environ.get("AWS_LAMBDA_RUNTIME_API"),
            help="the function's Runtime API (default: AWS_LAMBDA_RUNTIME_API)",
        )

    @classmethod
    def from_options(cls, options: argparse.Namespace) -> Self:
        if options.runtime_api is None:
            raise ValueError("say where the Runtime API is: --runtime-api, or AWS_LAMBDA_RUNTIME_API")
        sys.path.insert(0, os.getcwd())  # as servers do
        mode = options.invoke_mode
        return cls(options.app, options.runtime_api, invoke_mode=mode, readiness_path=options.readiness_path)


def imported(where: str) -> Any:
    """The application at `module:name`; raises `ValueError`."""
    module, _, name = where.partition(":")
    try:
        found: Any = import_module(module)
        for part in (name or "app").split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError, ValueError) as error:
        raise ValueError(f"no application at {where!r}, which should be module:name: {error}") from error
    return found


def _trailers_as_body(message: str) -> bytes:
    """A failure in the middle: the adapter's runtime writes its trailers where the body was."""
    told = base64.b64encode(
        json.dumps({"errorType": "Runtime.StreamError", "errorMessage": message}).encode()
    )
    return (
        b"Lambda-Runtime-Function-Error-Type: Runtime.StreamError\r\n"
        b"Lambda-Runtime-Function-Error-Body: %b\r\n" % told
    )
