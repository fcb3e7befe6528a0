"""Another head than the body needs: status, headers, a Content-Length that lies, a compressed body."""

import zlib
from collections.abc import Iterator, Sequence

from converse_emulator.http.responses import with_headers
from converse_emulator.language.faults import HeadSays
from converse_emulator.playing.acts import Beat, Finish, Head, HttpHeaders, Send, Torn, payload

OFF = 10  # bytes by which a Content-Length lies that is not told
GZIP = 31  # zlib's window bits for the gzip format


def with_head(beats: Sequence[Beat], says: HeadSays) -> Sequence[Beat]:
    """The beats with that head; interim responses stay."""
    if says.gzip:
        beats = list(_compressed(beats))
    length = sum(len(payload(beat.act)) for beat in beats)
    return [_headed(beat, says, length) for beat in beats]


def _headed(beat: Beat, says: HeadSays, length: int) -> Beat:
    match beat.act:
        case Head(status) as head if status >= 200:
            return beat._replace(act=_says(head, says, length), injected=True)
        case Torn(Head() as head, at):
            return beat._replace(act=Torn(_says(head, says, length), at))
        case _:
            return beat


def _says(head: Head, says: HeadSays, length: int) -> Head:
    headers = head.headers if says.length is None else _framed(head.headers, says.length, length)
    more = {"Content-Encoding": "gzip"} if says.gzip else {}
    return Head(says.status or head.status, with_headers(headers, {**more, **says.headers}.items()))


def _framed(headers: HttpHeaders, says: str | int, length: int) -> HttpHeaders:
    """The header that says how long the body is, where it stands."""
    told = {"exact": length, "too_long": length + OFF, "too_short": max(0, length - OFF)}
    framing = ("Content-Length", str(says if isinstance(says, int) else told.get(says, 0)))
    if says == "chunked":
        framing = ("Transfer-Encoding", "chunked")
    return tuple(
        framing if name.lower() in ("transfer-encoding", "content-length") else (name, value)
        for name, value in headers
    )


def _compressed(beats: Sequence[Beat]) -> Iterator[Beat]:
    """Each send compressed so that it can be read at once."""
    gzip = zlib.compressobj(wbits=GZIP)
    for beat in beats:
        match beat.act:
            case Send(data, what) as send:
                data = gzip.compress(data) + gzip.flush(zlib.Z_SYNC_FLUSH)
                yield beat._replace(act=send._replace(data=data, what=f"{what}, compressed"), injected=True)
            case Finish():
                yield Beat(beat.at, Send(gzip.flush(), "the end of gzip"), injected=True)
                yield beat
            case _:
                yield beat
