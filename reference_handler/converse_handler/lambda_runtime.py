"""`python -m converse_handler.lambda_runtime`: the handler as a Lambda function that streams.

A custom runtime, because Lambda's own for Python collects a response before it sends it. It takes one
invocation after the other from the Runtime API (`AWS_LAMBDA_RUNTIME_API` in the environment) and answers
`POST /chat` behind a function URL with `InvokeMode: RESPONSE_STREAM`, or behind a REST API with
`responseTransferMode: STREAM`.

Nobody tells a function that its browser has left: it runs on, and so does Bedrock. The answer's own end ends
both, or, a moment before Lambda's deadline, an `error` event that the browser still gets.
"""

import asyncio
import json
import logging
import os
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import closing
from dataclasses import replace
from functools import partial

from converse_handler import sse
from converse_handler.body import Body, Write, blocks_of
from converse_handler.bridge import Bedrock, connect
from converse_handler.chat_request import Refused, check_size, check_type, conversation
from converse_handler.conversation import Answer, Message, Model
from converse_handler.demo_tools import DEMO_TOOLS
from converse_handler.lambda_event import HttpRequest, UnknownEvent, http_request
from converse_handler.metrics import Metrics, Record
from converse_handler.runtime_api import Failure, Invocation, RuntimeApi, RuntimeApiError
from converse_handler.settings import Settings
from converse_handler.tools import Tools

log = logging.getLogger("converse_handler")

MARGIN = 1.0  # seconds before Lambda's deadline in which the last events are written
STREAMS = {name.decode(): value.decode() for name, value in sse.HEADERS}
PREFLIGHT = {
    "access-control-allow-methods": "POST",
    "access-control-allow-headers": "content-type",
    "access-control-max-age": "600",
}


class Function:
    """Answers invocations, one at a time."""

    def __init__(self, api: RuntimeApi, model: Model, settings: Settings, tools: Tools = DEMO_TOOLS) -> None:
        self._api, self._model, self._settings, self._tools = api, model, settings, tools
        self._metrics = Metrics()  # for the log line: nobody can scrape a function

    async def respond(self, invocation: Invocation) -> None:
        """Answer it, one way or another. `RuntimeApiError` or `OSError`: Lambda did not take that."""
        try:
            request = http_request(invocation.event)
            if request.method == "OPTIONS" and self._settings.allow_origin:
                await self._send(invocation, 200, PREFLIGHT, _nothing)
                return
            messages = _asked(request)
        except Refused as refused:
            headers = {"content-type": "application/json"}
            headers |= {"allow": "POST"} if refused.status == 405 else {}
            await self._send(invocation, refused.status, headers, partial(_explain, refused))
        except Exception as error:
            self._api.fail(invocation.id, _failure(error))
        else:
            await self._send(invocation, 200, STREAMS, partial(self._answer, messages, invocation.deadline))

    async def _answer(self, messages: list[Message], deadline: float, write: Write) -> None:
        left = max(deadline - time.time() - MARGIN, 0)
        settings = replace(self._settings, total_timeout=min(self._settings.total_timeout, left))
        answer = Answer(messages, self._model, self._tools, settings)
        record = Record(answer, self._metrics)
        try:
            blocks = blocks_of(answer.events(), record, answer.id)
            await Body(write, settings.heartbeat).send(blocks)
        finally:
            record.end()

    async def _send(
        self,
        invocation: Invocation,
        status: int,
        headers: Mapping[str, str],
        body: Callable[[Write], Awaitable[None]],
    ) -> None:
        origin = self._settings.allow_origin
        allowed = {"access-control-allow-origin": origin, "vary": "origin"} if origin else {}
        prelude = {"statusCode": status, "headers": {**headers, **allowed}}
        response = await self._api.respond(invocation.id, prelude)
        with closing(response):
            failure = None
            try:
                await body(response.write)
            except Exception as error:  # the first byte is out: all that is left to do is to say so
                failure = _failure(error)
            await response.end(failure)


def _asked(request: HttpRequest) -> list[Message]:
    if request.path != "/chat":
        raise Refused(404, "Not Found")
    if request.method != "POST":
        raise Refused(405, "Method Not Allowed")
    check_type(request.content_type)
    check_size(len(request.body))
    return conversation(request.body)


async def _explain(refused: Refused, write: Write) -> None:
    await write(json.dumps({"error": refused.detail}).encode())


async def _nothing(_write: Write) -> None:
    """An empty body."""


def _failure(error: Exception) -> Failure:
    """What may be told of it; the rest is for the log."""
    log.error("the invocation failed", exc_info=error)
    if isinstance(error, UnknownEvent):
        return Failure("Function.UnknownEvent", str(error))
    return Failure("Function.Failed", "the function failed; its log says why")


def main() -> int:
    """Answer invocations for ever; 1 after a failure, 2 if this is no place for a runtime."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    log.setLevel(logging.INFO)
    address = os.environ.get("AWS_LAMBDA_RUNTIME_API")
    if address is None:
        print("AWS_LAMBDA_RUNTIME_API is not set; Lambda sets it, to HOST:PORT", file=sys.stderr)
        return 2
    api = RuntimeApi(address)
    try:
        return _run(api)
    except RuntimeApiError as error:
        print(f"no Runtime API at {address}: {error}", file=sys.stderr)
        return 1


def _run(api: RuntimeApi) -> int:
    try:
        settings = Settings.from_environment(os.environ)
        function = Function(api, Bedrock(connect(settings)), settings)
    except Exception as error:  # Lambda wants to know of whatever it is
        print(error, file=sys.stderr)
        api.fail_init(Failure(f"Function.{type(error).__name__}", str(error)))
        return 1
    while True:
        invocation = api.next()
        os.environ["_X_AMZN_TRACE_ID"] = invocation.trace_id  # from where boto3 and X-Ray take it
        try:
            asyncio.run(function.respond(invocation))
        except (RuntimeApiError, OSError) as error:
            log.warning("invocation %s was answered in vain: %r", invocation.id, error)


if __name__ == "__main__":
    sys.exit(main())
