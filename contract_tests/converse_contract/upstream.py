"""The emulator as the suite sees it: a client of its control routes.

Every run of a case has a session of its own, and its name travels in the prompt, through any handler
untouched. So cases can run side by side against one emulator and one handler.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from typing import Any

import httpx

from converse_contract.case import Exchange

Over = Callable[[], bool]  # says that waiting has no sense any more

PROMPT = "When does my subscription renew?"
SHORTEST_POLL, LONGEST_POLL = 0.01, 0.1  # seconds


class EmulatorUnreachable(Exception):
    """The control routes do not answer; the text says where and why."""


class ScenarioRefused(Exception):
    """The emulator does not accept the case's scenario; the text is the emulator's."""


def session_name(case_id: str) -> str:
    """A session that no other run shares."""
    return f"case-{case_id}-{secrets.token_hex(4)}"


def prompt_for(session: str, scenario: str | None) -> str:
    """The prompt, with the marks that tell the emulator which session and which library scenario it is."""
    chosen = f" [[scenario: {scenario}]]" if scenario else ""
    return f"{PROMPT}{chosen} [[session: {session}]]"


class Upstream:
    """The control routes of the emulator at `url`."""

    def __init__(self, url: str, client: httpx.AsyncClient) -> None:
        self._base = url.rstrip("/") + "/_emulator"
        self._client = client

    async def health(self) -> str:
        """The emulator's seed, if it is there."""
        return str((await self._ask("GET", "/health"))["seed"])

    async def arm(self, session: str, replies: list[Any]) -> None:
        """Have these replies played in this session, each once, in order."""
        await self._ask("POST", "/arm", json={"session": session, "replies": replies})

    async def open_gate(self, session: str, name: str) -> None:
        """Let the play that holds at this gate go on."""
        await self._ask("POST", "/gates/open", json={"session": session, "name": name})

    async def exchanges(self, session: str, settling: float = 0.0) -> tuple[Exchange, ...]:
        """The journal of the session, oldest first; if not all in it is over, wait so many seconds for it."""
        answer = await self._ask("GET", "/journal", params={"session": session, "wait": settling})
        return tuple(answer["exchanges"])

    async def called(self, session: str, seconds: float, over: Over = lambda: False) -> bool:
        """Wait until Bedrock is called in this session; False if it is not in this time, or before `over`."""

        async def any_call() -> bool:
            return bool(await self.exchanges(session))

        return await _until(any_call, seconds, over)

    async def holds_at(self, session: str, gate: str, seconds: float, over: Over) -> bool:
        """Wait until a play holds at this gate; False if none does in this time, or before `over`."""

        async def waiting() -> bool:
            listing = await self._ask("GET", "/gates", params={"session": session})
            return any(entry["name"] == gate and entry["waiting"] for entry in listing["gates"])

        return await _until(waiting, seconds, over)

    async def _ask(self, method: str, path: str, **how: Any) -> Any:
        try:
            response = await self._client.request(method, self._base + path, **how)
        except httpx.TransportError as error:
            raise EmulatorUnreachable(
                f"no emulator at {self._base}: {error or type(error).__name__}"
            ) from error
        answer = _json(response)
        if response.status_code in (400, 404) and "error" in answer:
            raise ScenarioRefused(str(answer["error"]))
        if response.status_code != 200 or not answer:
            raise EmulatorUnreachable(
                f"no emulator at {self._base}: {path} answers {response.status_code} {response.text[:80]!r}"
            )
        return answer


def _json(response: httpx.Response) -> dict[str, Any]:
    """The JSON object in the body; empty if there is none."""
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


async def _until(ask: Callable[[], Awaitable[bool]], seconds: float, over: Over) -> bool:
    """Ask again and again, ever more slowly, until the answer is yes, the time is up, or it is `over`."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    pause = SHORTEST_POLL
    while not await ask():
        if over() or loop.time() >= deadline:
            return False
        await asyncio.sleep(pause)
        pause = min(2 * pause, LONGEST_POLL)
    return True
