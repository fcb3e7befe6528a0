"""The emulator inside a Python process: a server in a thread, and sessions to script and to question it.

with Emulator() as bedrock:
    bedrock.play("Hello")
    response = bedrock.client().converse_stream(modelId=…, messages=…)
    …
    assert bedrock.journal.last.ended == "finished"
"""

import os
import threading
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, get_args
from urllib.parse import quote

from converse_emulator import given
from converse_emulator.admission.front_door import FrontDoor
from converse_emulator.app import DataPlane
from converse_emulator.choosing.arming import armed
from converse_emulator.choosing.selectors import DEFAULT_SESSION
from converse_emulator.continuing import withholding
from converse_emulator.errors import EmulatorError
from converse_emulator.http.asgi import App
from converse_emulator.judging.judge import Judge
from converse_emulator.judging.verdicts import Validation
from converse_emulator.language.library import Library
from converse_emulator.language.scenario import Json
from converse_emulator.outage import How, checked
from converse_emulator.server import Server

if TYPE_CHECKING:
    from converse_emulator.playing.exchanges import Exchanges

REGION = "us-east-1"

_creating = threading.Lock()  # boto3 does not make clients in two threads at a time


class VerifyError(EmulatorError, AssertionError):
    """A session got requests that nothing was written for, or not those that something was armed for."""


class Session:
    """What one test sees of an emulator: its own queue of armed replies, gates and journal."""

    def __init__(self, server: Server, plane: DataPlane, name: str) -> None:
        self._server = server
        self._plane = plane
        self.name = name

    @property
    def ca_bundle(self) -> Path | None:
        """The file with the authority that clients are to trust; None without TLS, or with your own."""
        return self._server.tls.ca_bundle if self._server.tls else None

    @property
    def endpoint_url(self) -> str:
        """The `endpoint_url` for clients whose requests are to belong to this session."""
        return f"{self._server.url}/session/{quote(self.name, safe='')}"

    def client(self, *, config: Any = None, **options: Any) -> Any:
        """A boto3 client for `bedrock-runtime` with dummy credentials.

        `options` are those of `botocore.config.Config`, as in `client(read_timeout=1)`; a whole `config` may
        be given as well.
        """
        from botocore.config import Config

        # Neither a bearer token nor a proxy of the developer's environment may come between.
        ours = Config(signature_version="v4", proxies={}).merge(Config(**options))
        with _creating:
            return _boto3_session().client(
                "bedrock-runtime",
                endpoint_url=self.endpoint_url,
                region_name=REGION,
                aws_access_key_id=DEFAULT_SESSION,
                aws_secret_access_key="dummy",
                verify=str(self.ca_bundle) if self.ca_bundle else None,
                config=ours.merge(config) if config else ours,
            )

    def play(
        self,
        reply: str | Sequence[Json] | None = None,
        *,
        scenario: str | Path | None = None,
        match: Mapping[str, Json] | None = None,
        instead: Sequence[Mapping[str, Json]] | None = None,
        wrap: str | Mapping[str, Json] | None = None,
    ) -> None:
        """Arm what the next request gets; several calls queue up.

        A reply is the answer's text or a list of steps, as in YAML; `scenario` a name of the library or the
        path of a file; `match` says which request it is for, any other being a miss; `instead` has other
        replies for some of the requests, which use up nothing; `wrap` is done to whatever is played, as in
        `{"slow": 2}`. Raises `ScenarioError` and `UnknownScenario`.
        """
        given = {
            "reply": reply,
            "scenario": scenario,
            "match": match,
            "instead": instead,
            "wrap": wrap,
        }
        what = {name: value for name, value in given.items() if value is not None}
        self._plane.selector.arm(self.name, armed(self._plane.library, what, "play()", files=True))

    @property
    def journal(self) -> "Exchanges":
        """The exchanges of this session, newest last."""
        from converse_emulator.playing.exchanges import Exchanges

        return Exchanges(self._server, self._plane.journal, self.name)

    def open_gate(self, name: str) -> None:
        """Let the play that holds at this gate go on, or the next one that reaches it."""
        self._server.call(lambda: self._plane.gates.of(self.name).open(name))

    def reset(self) -> None:
        """Forget what is armed, the exchanges, the misses, and the openings of gates."""
        self._server.call(lambda: self._plane.reset(self.name))

    def verify(self) -> None:
        """Raise `VerifyError` for every miss and for what was armed and not asked for."""
        misses = [f"Miss: {miss}" for miss in self._plane.selector.misses(self.name)]
        unconsumed = [f"Not asked for: {each}" for each in self._plane.selector.unconsumed(self.name)]
        if misses or unconsumed:
            hint = self._strays() if unconsumed and not misses else []
            raise VerifyError("\n".join([f"Session {self.name!r}:", *misses, *unconsumed, *hint]))

    def _strays(self) -> list[str]:
        """The other sessions that requests came in for: the likely reason when nothing came for this one."""
        seen = self._server.call(lambda: {each.session for each in self._plane.journal.recordings()})
        if not (others := sorted(seen - {self.name})):
            return []
        return [f"Requests came for {', '.join(others)}; this session's endpoint is {self.endpoint_url}"]


class Emulator(Session):
    """An emulator on a free port of this machine. It is itself the session `default`.

    That is the session of its own `client()`s. Requests with other access keys have sessions named after
    these, or come here by the endpoint `…/session/default`. Its journal and `reset` are of all sessions.
    """

    def __init__(
        self,
        scenarios: str | Path | Iterable[str | Path] = (),
        *,
        seed: int | str = 0,
        speed: float = 1.0,
        host: str = "127.0.0.1",
        port: int = 0,
        validation: Validation = "strict",
        models: str | Path | None = None,
        credentials: str | Path | None = None,
        quotas: str | Iterable[str] = (),
        tls: bool | tuple[str | Path, str | Path] = False,
        wrap: str | None = None,
    ) -> None:
        """`scenarios` are a folder of scenario files or several; `speed` 2 plays twice as fast; port 0 is any
        free one. The same `seed` draws the same chances.

        Requests are judged by the service model's constraints and Bedrock's semantic rules (`strict`), by the
        constraints only (`model`) or not at all (`off`); `models` is a file with a model catalogue of your
        own. With a file of `credentials` only those who are in it are let in, else anybody; `quotas` are
        limits like `anthropic.*:rpm=60`; `wrap` is done to every reply, as `slow=2,jitter=20ms`. Raises
        `ScenarioError` for mistakes in the files.

        `tls` is True for HTTPS with certificates of an authority of this machine's own (`ca_bundle`), or the
        files of a certificate and its key. Raises `TlsError` if there are none to be had.
        """
        if not speed > 0:
            raise ValueError(f"the speed must be more than 0, not {speed}")
        if validation not in get_args(Validation):
            raise ValueError(f"validation is one of {', '.join(get_args(Validation))}, not {validation!r}")

        def control(plane: DataPlane) -> App:
            from converse_emulator.control import control_app  # it needs Starlette, which takes 80 ms

            return control_app(plane, host)

        folders = [scenarios] if isinstance(scenarios, str | Path) else scenarios
        judge = Judge(validation, given.catalogue(models))
        plane = DataPlane(
            Library(folders),
            seed=str(seed),
            speed=speed,
            control=control,
            judge=judge,
            front_door=FrontDoor(given.credentials(credentials), given.quotas(quotas)),
            wrap=given.wrap(wrap),
        )
        outages, withholds = plane.journal.outages, withholding(plane.selector)
        server = Server(plane, host, port, given.tls(tls, host), plane.answer, outages, withholds)
        super().__init__(server, plane, DEFAULT_SESSION)
        plane.outage = self._outage

    @property
    def endpoint_url(self) -> str:
        """The emulator's URL; also the `endpoint_url` for clients, whose sessions are their access keys."""
        return self._server.url

    @property
    def journal(self) -> "Exchanges":
        """The exchanges of all sessions, newest last."""
        from converse_emulator.playing.exchanges import Exchanges

        return Exchanges(self._server, self._plane.journal, None)

    def session(self, name: str) -> Session:
        """Another session, new or known."""
        return Session(self._server, self._plane, name)

    def outage(self, how: How, seconds: float) -> None:
        """For a while `refuse`, `close` or `reset` each new connection, be `silent`, open no `window` for a
        request's body, or say no `100-continue` to who waits for it.

        Connections that are there are cut. Raises `BadOutage` (a `ValueError`).
        """
        self._server.run(self._outage(*checked(how, seconds)))

    async def _outage(self, how: How, seconds: float) -> None:
        self._plane.journal.end("outage", self._plane.clock.now())  # not the client leaves: it is cut
        await self._server.outage(how, seconds)

    def reset(self) -> None:
        """Forget everything of all sessions."""
        self._server.call(lambda: self._plane.reset())

    def start(self) -> Self:
        """Serve, until `stop`. Raises `OSError` if the port cannot be had."""
        self._server.start()
        self._server.soon(self._plane.warm)
        return self

    def stop(self) -> None:
        """Cut what runs, and end. The journal stays."""
        if self._server.running:
            self._server.call(self._plane.close)
            self._server.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()


@cache
def _boto3_session() -> Any:
    """One session for all clients, each of which costs 4 ms then. It reads no AWS configuration files."""
    import boto3
    from botocore.session import Session as BotocoreSession

    session = BotocoreSession(session_vars={"profile": (None, None, None, None)})
    session.set_config_variable("config_file", os.devnull)
    session.set_config_variable("credentials_file", os.devnull)
    return boto3.Session(botocore_session=session)
