"""The control routes under `/_emulator`: JSON over HTTP, for tests in any language and the contract suite.

    GET  health · metrics · scenarios · scenarios/TOPIC/NAME · gates?session=
         journal?session=&after=ID&wait=S&data=1
    POST arm {session, scenario | reply | replies, match, instead, wrap}
         gates/open {session, name} · reset {session} · outage {how, seconds}

`/metrics` is there too, where Prometheus looks for it.

Web pages must not reach them through a browser on this machine: a foreign `Host` (a name that was made to
point here) and a foreign `Origin` (another page) are refused.
"""

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from converse_emulator.address import is_loopback
from converse_emulator.choosing.arming import armed
from converse_emulator.choosing.selectors import DEFAULT_SESSION
from converse_emulator.errors import EmulatorError, ScenarioError
from converse_emulator.http.asgi import App, Receive, Scope, Send
from converse_emulator.http.headers import Headers
from converse_emulator.http.inbound import read_body
from converse_emulator.language.scenario import Json, Scenario
from converse_emulator.outage import checked
from converse_emulator.playing.acts import explain
from converse_emulator.playing.gates import TooManyOpenings
from converse_emulator.playing.wire import ClientLeft
from converse_emulator.rehearsal import Run, example_request, timeline_of

if TYPE_CHECKING:
    from converse_emulator.app import DataPlane

LONGEST_WAIT = 300.0  # seconds


def control_app(plane: "DataPlane", host: str) -> App:
    """The ASGI application of the control routes; `host` is what the server is bound to."""
    routes = _Routes(plane)
    app = Starlette(
        routes=[
            Route("/_emulator/health", routes.health),
            Route("/_emulator/metrics", routes.metrics),
            Route("/metrics", routes.metrics),
            Route("/_emulator/scenarios", routes.scenarios),
            Route("/_emulator/scenarios/{name:path}", routes.scenario),
            Route("/_emulator/arm", routes.arm, methods=["POST"]),
            Route("/_emulator/gates", routes.gates),
            Route("/_emulator/gates/open", routes.open_gate, methods=["POST"]),
            Route("/_emulator/journal", routes.journal),
            Route("/_emulator/outage", routes.outage, methods=["POST"]),
            Route("/_emulator/reset", routes.reset, methods=["POST"]),
        ],
        exception_handlers={
            HTTPException: _http_error,
            EmulatorError: _bad_request,
            TooManyOpenings: _bad_request,
            ClientLeft: _nobody_there,
        },
    )

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        own = {host, scope["server"][0]}
        stranger = foreign(Headers.of(scope["headers"]), own, scope["scheme"])
        refusal = JSONResponse({"error": stranger}, 403)
        await (refusal if stranger else app)(scope, receive, send)

    return guarded


def foreign(headers: Mapping[str, str], own: set[str], scheme: str = "http") -> str | None:
    """Why a request is refused, if it is: a `Host` that is neither loopback nor `own`, an `Origin` not it."""
    host = headers.get("host", "")
    name = urlsplit(f"//{host}").hostname or ""
    if not (name in own or is_loopback(name)):
        return f"the control routes do not answer to the host {host!r}; use localhost or the server's address"
    origin = headers.get("origin")
    if origin is not None and origin != f"{scheme}://{host}":
        return f"the control routes do not answer to pages of {origin!r}"
    return None


class _Routes:
    def __init__(self, plane: "DataPlane") -> None:
        self._plane = plane
        self._outages: set[asyncio.Task[None]] = set()  # so that they are not collected while they begin

    async def health(self, _: Request) -> Response:
        lateness = self._plane.clock.lateness
        timing = {
            "writes": lateness.number,
            "p50_ms": round(lateness.quantile(0.5) * 1000, 3),
            "p99_ms": round(lateness.quantile(0.99) * 1000, 3),
        }
        about = {"status": "ok", "seed": self._plane.seed, "speed": self._plane.speed, "timing": timing}
        return JSONResponse(about)

    async def metrics(self, _: Request) -> Response:
        from converse_emulator.metrics import CONTENT_TYPE, metrics_text  # it needs prometheus_client

        return Response(metrics_text(self._plane), headers={"Content-Type": CONTENT_TYPE})

    async def scenarios(self, _: Request) -> Response:
        library = self._plane.library
        return JSONResponse({"scenarios": [_about(library.get(name)) for name in library.names()]})

    async def scenario(self, request: Request) -> Response:
        scenario = self._plane.library.get(request.path_params["name"])
        return JSONResponse(_about(scenario) | {"replies": _replies(scenario, self._plane.seed)})

    async def arm(self, request: Request) -> Response:
        what = await _body(request)
        session = _text(what, "session", DEFAULT_SESSION)
        what.pop("session", None)
        scenario = armed(self._plane.library, what, "arm")
        self._plane.selector.arm(session, scenario)
        return JSONResponse({"session": session, "armed": scenario.name, "replies": len(scenario.replies)})

    async def gates(self, request: Request) -> Response:
        session = request.query_params.get("session", DEFAULT_SESSION)
        return JSONResponse({"gates": self._plane.gates.of(session).listing()})

    async def open_gate(self, request: Request) -> Response:
        what = await _body(request)
        session, name = _text(what, "session", DEFAULT_SESSION), _text(what, "name")
        self._plane.gates.of(session).open(name)
        return JSONResponse({"session": session, "opened": name})

    async def journal(self, request: Request) -> Response:
        """With `wait`: answer when there are exchanges after ID and all have ended, at the latest after S.

        With `data`: what was sent, to the byte. Outages are everybody's.
        """
        session = request.query_params.get("session")
        after = int(_number(request, "after"))
        journal = self._plane.journal

        def ended() -> bool:
            found = journal.recordings(session, after)
            return bool(found) and all(recording.done for recording in found)

        await journal.wait(ended, min(_number(request, "wait"), LONGEST_WAIT))
        found = journal.recordings(session, after)
        data = request.query_params.get("data") == "1"
        return JSONResponse(
            {
                "exchanges": [recording.exchange(data=data).as_json() for recording in found],
                "outages": [outage.as_json() for outage in journal.outages.all()],
            }
        )

    async def reset(self, request: Request) -> Response:
        what = await _body(request)
        session = _text(what, "session") if what.get("session") is not None else None
        self._plane.reset(session)
        return JSONResponse({"reset": session})

    async def outage(self, request: Request) -> Response:
        """It begins once this has been answered."""
        what = await _body(request)
        how, seconds = checked(what.get("how"), what.get("seconds"))
        begin = self._plane.outage
        if begin is None:
            raise HTTPException(404, "this server has no outages")

        async def soon() -> None:
            self._outages.add(asyncio.create_task(begin(how, seconds)))  # it cuts this connection, too

        return JSONResponse({"how": how, "seconds": seconds}, background=BackgroundTask(soon))


async def _body(request: Request) -> dict[str, Json]:
    body = await read_body(request.receive, request.headers)
    if body.problem:
        raise HTTPException(400, str(body.problem))
    return dict(body.content)


def _text(what: Mapping[str, Json], name: str, default: str | None = None) -> str:
    value = what.get(name, default)
    if not isinstance(value, str) or not value:
        raise HTTPException(400, f"{name!r} must be a string that is not empty")
    return value


def _number(request: Request, name: str) -> float:
    value = request.query_params.get(name, "0")
    try:
        number = float(value)
    except ValueError:
        number = -1.0
    if not 0 <= number < 1e15:
        raise HTTPException(400, f"{name!r} must be a number from 0, not {value!r}")
    return number


def _about(scenario: Scenario) -> dict[str, Json]:
    return {"name": scenario.name, "title": scenario.title, "handlers": scenario.handlers}


def _replies(scenario: Scenario, seed: str) -> list[Json]:
    """Each reply as it would be streamed to a plain request."""
    request = example_request(Run(seed))
    timelines = (timeline_of(reply, request, seed) for reply in scenario.replies)
    return [
        [{"at": beat.at, "what": explain(beat.act), "injected": beat.injected} for beat in timeline.beats]
        for timeline in timelines
    ]


async def _http_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return JSONResponse({"error": error.detail}, error.status_code, error.headers)


async def _bad_request(_: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, 400 if isinstance(error, ScenarioError) else 404)


async def _nobody_there(_: Request, __: Exception) -> Response:
    return Response(status_code=400)
