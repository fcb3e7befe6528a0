"""What a play does to a connection, and when: the compiled form of a reply.

Signals are values: nothing here touches a connection. `player` performs acts on a `Wire`.
"""

from dataclasses import dataclass

HttpHeaders = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Head:
    """Status line and headers, in wire order and case.

    They say how the body is framed: `Transfer-Encoding: chunked`, or a `Content-Length`, which the bytes that
    follow fall short of where a scenario cuts them.
    """

    status: int
    headers: HttpHeaders


@dataclass(frozen=True, slots=True)
class Send:
    """Bytes of the body. `what` names them for people, `tokens` counts the output tokens they carry."""

    data: bytes
    what: str
    tokens: int = 0


@dataclass(frozen=True, slots=True)
class Gate:
    """Hold until the gate is opened; later beats move by the time it took."""

    name: str


@dataclass(frozen=True, slots=True)
class Hold:
    """Hold until the client leaves."""


@dataclass(frozen=True, slots=True)
class Finish:
    """End the body properly (the last chunk)."""


@dataclass(frozen=True, slots=True)
class Hangup:
    """Close the connection (FIN) without ending the body."""


@dataclass(frozen=True, slots=True)
class Reset:
    """Reset the connection (RST)."""


Act = Head | Send | Gate | Hold | Finish | Hangup | Reset


@dataclass(frozen=True, slots=True)
class Beat:
    """An act and its moment: `at` seconds after the request (held gates not counted).

    `injected` marks misbehaviour that the scenario asked for, so that nobody takes it for a bug.
    """

    at: float
    act: Act
    injected: bool = False


@dataclass(frozen=True, slots=True)
class Timeline:
    """A compiled reply. `at` never decreases; the last act ends the exchange."""

    beats: tuple[Beat, ...]
    tokens: int  # output tokens of the whole answer, were it played to its end


def explain(act: Act) -> str:
    """One line for journals and listings."""
    match act:
        case Head(status):
            return f"head {status}"
        case Send(data, what):
            return f"send {len(data)} B ({what})"
        case Gate(name):
            return f"gate {name}"
        case Hold():
            return "hold"
        case Finish():
            return "finish"
        case Hangup():
            return "hang up (FIN)"
        case Reset():
            return "reset (RST)"
