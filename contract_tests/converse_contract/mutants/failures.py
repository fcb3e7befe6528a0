"""Mutants that mistake failures: refusals, exceptions in the stream, and streams that break off."""
# ruff: noqa: ARG002  # an overridden hook has the arguments of its original

from collections.abc import AsyncGenerator
from typing import ClassVar

from botocore.eventstream import ParserError
from botocore.exceptions import ClientError, EventStreamError
from urllib3.exceptions import HTTPError

from converse_contract.mutants.base import Handler
from converse_contract.mutants.bedrock import Event
from converse_contract.mutants.turn import Turn
from converse_contract.mutants.words import Broken, Messages, Out

DONE: Event = {"messageStop": {"stopReason": "end_turn"}}


class OneCode(Handler):
    """A blanket except: something went wrong, please try again."""

    caught_by: ClassVar = (
        *(f"3.{number}" for number in (1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14)),
        *("4.1", "4.2", "4.4", "4.5"),
    )

    def explain(self, error: Exception) -> Broken:
        return Broken("internal", True)


class NothingHelps(Handler):
    """Never offers to try again."""

    caught_by: ClassVar = ("3.1", "3.4", "4.3")

    def failure(self, broken: Broken, shown: bool) -> Out:
        return {**super().failure(broken, shown), "retryable": False}


class StatusClasses(Handler):
    """4xx is the caller's fault, 5xx the server's; botocore calls every exception in a stream a 400."""

    caught_by: ClassVar = ("3.1", "3.3", "3.5", "3.6", "3.7", "4.1", "4.2", "4.3", "4.4")

    def explain(self, error: Exception) -> Broken:
        if not isinstance(error, ClientError):
            return super().explain(error)
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400)
        return Broken("internal", True) if status >= 500 else Broken("invalid_request", False)


class SearchesMessages(Handler):
    """Recognises a conversation that is too long by the words "too many tokens"."""

    caught_by: ClassVar = ("3.2",)

    def explain(self, error: Exception) -> Broken:
        if "too many tokens" in str(error).lower():
            return Broken("invalid_request", False)
        return super().explain(error)


class RawErrors(Handler):
    """`str(error)` in the error event."""

    caught_by: ClassVar = ("3.15", "4.11")

    def explain(self, error: Exception) -> Broken:
        broken = super().explain(error)
        return Broken(broken.code, broken.retryable, str(error))


class NeverRetries(Handler):
    """Retries are off, or there is no except around the call."""

    caught_by: ClassVar = ("3.16",)

    def worth_retrying(self, error: Exception, attempt: int) -> bool:
        return False


class RetriesTooOften(Handler):
    """The framework retries what the SDK retries."""

    caught_by: ClassVar = ("3.17", "3.20")

    async def attempts(self, messages: Messages, deadline: float, *, first: bool) -> AsyncGenerator[Event]:
        for last in (False, True):
            try:
                async for event in super().attempts(messages, deadline, first=first):
                    yield event
                return
            except Exception:
                if last:
                    raise


class RetriesEverything(Handler):
    """A retry decorator that looks at no code."""

    caught_by: ClassVar = ("3.18",)

    def worth_retrying(self, error: Exception, attempt: int) -> bool:
        return attempt < self.settings.attempts


class RetriesAfterText(Handler):
    """A retry around the whole answer, text, tools and all."""

    caught_by: ClassVar = ("4.10", "5.16", "7.17")

    async def reply(self, messages: Messages) -> AsyncGenerator[Out]:
        for last in (False, True):
            async for event in super().reply(messages):
                if event["type"] == "error" and event["retryable"] and not last:
                    break
                yield event
            else:
                return


class RaisesOut(Handler):
    """No except around the generator: the exception leaves through the framework."""

    caught_by: ClassVar = ("3.19", "4.12")

    async def reply(self, messages: Messages) -> AsyncGenerator[Out]:
        async for event in self.rounds(messages, []):
            yield event


class OnlyClientErrors(Handler):
    """`except ClientError`, which the SDK's guide shows and urllib3 does not raise."""

    caught_by: ClassVar = ("3.20", "5.3", "5.4", "5.5", "5.9", "5.10", "5.11", "5.15")

    def explain(self, error: Exception) -> Broken:
        if not isinstance(error, ClientError | Broken):
            raise error
        return super().explain(error)

    def worth_retrying(self, error: Exception, attempt: int) -> bool:
        return isinstance(error, ClientError) and super().worth_retrying(error, attempt)


class IgnoresExceptions(Handler):
    """Reads `:event-type` and never `:message-type`: an exception is an event that it does not know."""

    caught_by: ClassVar = ("3.21", "3.22", "4.1", "4.5", "4.6", "4.7", "4.14")

    async def stream(self, messages: Messages, deadline: float) -> AsyncGenerator[Event]:
        try:
            async for event in super().stream(messages, deadline):
                yield event
        except EventStreamError:
            yield DONE


class EmptyCodeIsNoError(Handler):
    """`if error.code:`, and botocore leaves the code of an unknown exception empty."""

    caught_by: ClassVar = ("4.6",)

    async def stream(self, messages: Messages, deadline: float) -> AsyncGenerator[Event]:
        try:
            async for event in super().stream(messages, deadline):
                yield event
        except ClientError as error:
            if error.response["Error"]["Code"]:
                raise
            yield DONE


class EndsAtMessageStop(Handler):
    """Reports the end at messageStop, and whatever comes after that, too."""

    caught_by: ClassVar = ("4.8", "5.12")

    async def rounds(self, messages: Messages, turns: list[Turn]) -> AsyncGenerator[Out]:
        ended = False
        yield {"type": "message_start", "id": "msg_1"}
        turns.append(turn := self.turn(0))
        async for event in self.attempts(messages, self.deadline(), first=True):
            for out in turn.take(event):
                yield out
            if turn.stop_reason is not None and not ended:
                ended = True
                yield self.finish(turn, turns)


class TextAfterError(Handler):
    """Says sorry in the answer's own voice, after the error."""

    caught_by: ClassVar = ("4.12",)

    async def reply(self, messages: Messages) -> AsyncGenerator[Out]:
        async for event in super().reply(messages):
            yield event
            if event["type"] == "error":
                yield {"type": "content_block_delta", "index": 0, "delta": {"text": "Sorry about that."}}


class LeavesBlocksOpen(Handler):
    """Closes blocks when Bedrock does, and after an exception it does not."""

    caught_by: ClassVar = ("4.13",)

    async def reply(self, messages: Messages) -> AsyncGenerator[Out]:
        held: Out | None = None
        async for event in super().reply(messages):
            if held is not None and event["type"] != "error":
                yield held
            held = event if event["type"] == "content_block_stop" else None
            if held is None:
                yield event


class RunsToolsAnyway(Handler):
    """A finally clause that runs the tool calls collected so far, however the stream ended."""

    caught_by: ClassVar = ("4.14", "5.13", "5.14", "6.7")

    async def attempts(self, messages: Messages, deadline: float, *, first: bool) -> AsyncGenerator[Event]:
        tools = stopped = False
        try:
            async for event in super().attempts(messages, deadline, first=first):
                tools = tools or "contentBlockStart" in event
                stopped = stopped or "messageStop" in event
                yield event
        except Exception:
            if not tools:
                raise
        if tools and not stopped:
            yield {"messageStop": {"stopReason": "tool_use"}}


class CleanEndIsSuccess(Handler):
    """The loop ran out without an exception, so the answer is complete."""

    caught_by: ClassVar = ("5.1", "5.2", "5.6", "5.7", "5.8")

    def goes_on(self, turn: Turn, number: int) -> bool:
        turn.stop_reason = turn.stop_reason or "end_turn"
        return super().goes_on(turn, number)


class UsageIsProof(Handler):
    """Usage comes last, so where there is usage everything came."""

    caught_by: ClassVar = ("5.6",)

    def goes_on(self, turn: Turn, number: int) -> bool:
        if turn.usage is not None:
            turn.stop_reason = turn.stop_reason or "end_turn"
        return super().goes_on(turn, number)


class BrokenIsEnded(Handler):
    """`except Exception: break`: a stream that can be read no further is over."""

    caught_by: ClassVar = ("5.3", "5.4", "5.5", "5.9", "5.10", "5.11")

    async def stream(self, messages: Messages, deadline: float) -> AsyncGenerator[Event]:
        try:
            async for event in super().stream(messages, deadline):
                yield event
        except (HTTPError, ParserError, OSError):
            yield DONE


MUTANTS: tuple[type[Handler], ...] = (
    OneCode,
    NothingHelps,
    StatusClasses,
    SearchesMessages,
    RawErrors,
    NeverRetries,
    RetriesTooOften,
    RetriesEverything,
    RetriesAfterText,
    RaisesOut,
    OnlyClientErrors,
    IgnoresExceptions,
    EmptyCodeIsNoError,
    EndsAtMessageStop,
    TextAfterError,
    LeavesBlocksOpen,
    RunsToolsAnyway,
    CleanEndIsSuccess,
    UsageIsProof,
    BrokenIsEnded,
)
