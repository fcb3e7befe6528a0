"""The table's rows for faults of frames and of the connection."""

from collections.abc import Mapping
from typing import cast, get_args

from converse_emulator.framing.damage import DAMAGES
from converse_emulator.language import arguments as arg
from converse_emulator.language import faults as fa
from converse_emulator.language.forms import Form, Made, OneOf, Word
from converse_emulator.language.place_form import DEPTH
from converse_emulator.language.records import Field, MapOf, Record
from converse_emulator.language.rules import Applied, Bare, Rule
from converse_emulator.language.scenario import Finish, Hangup, Reset, Step
from converse_emulator.playing.acts import ErrorCode


def _unknown(events: Mapping[str, object]) -> fa.Unknown:
    if len(events) != 1:
        raise ValueError("one event: {newEvent: {…}}")
    ((name, body),) = events.items()
    return fa.Unknown(name, cast("Mapping[str, object]", body))


_POSITIVE = arg.whole("a whole number from 1", 1)
_CONNECTION = Word(lambda: ("connection",))
_CODE = Made(Word(lambda: ErrorCode.__members__), ErrorCode.__getitem__)
_CORRUPT: Form[Step] = OneOf(
    (
        Made(Word(lambda: DAMAGES), fa.Corrupt),
        Record(
            fa.Corrupt,
            {"what": Field(Word(lambda: DAMAGES), "The damage.", required=True)},
            tag="what",
        ),
        Record(
            lambda byte: fa.Corrupt(byte),
            {
                "byte": Field(
                    arg.whole("a number of bytes", 0),
                    "The byte that is inverted, from 0.",
                    required=True,
                )
            },
        ),
    )
)
_TEAR: Form[Step] = OneOf(
    (
        Made(arg.CUT, fa.Tear),
        Record(
            lambda head: fa.Tear(head, head=True),
            {"head": Field(arg.CUT, "So much of the response's head.", required=True)},
        ),
    )
)
_RESET: Form[Step] = OneOf(
    (Made(_CONNECTION, lambda _: Reset(connection=True)), Made(_CODE, lambda code: Reset(code)))
)
_CHUNKS: Form[Step] = OneOf(
    (Made(Word(lambda: get_args(fa.Chunking)), fa.Chunks), Made(_POSITIVE, fa.Chunks))
)
_DRIP = Record(
    lambda every, bytes=1: fa.Drip(bytes, every),
    {
        "bytes": Field(_POSITIVE, "How many at a time. Default: 1."),
        "every": Field(arg.LENGTH, "The time between.", required=True),
    },
)
_HEAD = Record(
    lambda status=None, headers=None, length=None, encoding=None, **more: fa.HeadSays(
        status, headers or {}, length, encoding == "gzip", "continue" in more
    ),
    {
        "status": Field(arg.whole("an HTTP status from 200 to 599", 200, 599), "Default: the usual one."),
        "headers": Field(arg.HEADERS, "Further headers, or other ones in place of the usual."),
        "length": Field(
            OneOf(
                (
                    Word(lambda: ("chunked", "exact", "too_long", "too_short")),
                    arg.whole("a number of bytes", 0),
                )
            ),
            "What the head says of the body's length; the lies are by 10 bytes.",
        ),
        "encoding": Field(Word(lambda: ("gzip",)), "Compress the body."),
        "continue": Field(
            Word(lambda: ("withheld",)),
            "No 100 Continue to who waits for that; only where path, header or session choose.",
        ),
    },
)
_TRICKLE: Form[Step] = OneOf(
    (
        Made(Word(lambda: get_args(fa.Trickled)), fa.Trickle),
        Record(
            lambda send, every=1.0: fa.Trickle(send, every),
            {
                "send": Field(Word(lambda: get_args(fa.Trickled)), "What comes.", required=True),
                "every": Field(arg.LENGTH, "The time between. Default: 1s."),
            },
        ),
    )
)

FAULTS: Mapping[str, Rule] = {
    "corrupt": Applied("Damage the next frame.", _CORRUPT, placed=True),
    "drop": Bare("The next frame is not sent.", fa.Drop(), placed=True),
    "duplicate": Bare("The next frame is sent twice.", fa.Duplicate(), placed=True),
    "swap": Bare("The next frame and the one after it change places.", fa.Swap(), placed=True),
    "unknown": Applied(
        "An event that the service model does not know, or with a body it does not allow.",
        Made(MapOf(arg.OBJECT, arg.NAME), _unknown),
        placed=True,
    ),
    "cut": Applied(
        "Send only so many bytes, or this part, of the next frame.", Made(DEPTH, fa.Cut), placed=True
    ),
    "tear": Applied(
        "As `cut`, but the HTTP chunk announces the rest too; or only a part of the head is sent.",
        _TEAR,
        placed=True,
    ),
    "raw": Applied(
        "Bytes on the connection, past all framing of HTTP.", Made(arg.TEXT_OR_BASE64, fa.Wild), placed=True
    ),
    "interim": Applied(
        "An interim response (100, 102, 103) before the head.",
        Made(arg.whole("100, 102 or 103", 100, 103), fa.Interim),
    ),
    "head": Applied("The response's head says something else.", _HEAD),
    "chunks": Applied(
        "How frames come in HTTP chunks from here on: what is due together, one by one, cut inside "
        "code points, or so many bytes each.",
        _CHUNKS,
        placed=True,
    ),
    "drip": Applied("A few bytes at a time from here on.", _DRIP, placed=True),
    "trickle": Applied(
        "Until the client leaves: interim responses before the head, unknown events, empty deltas, or "
        "the bytes of a frame without end.",
        _TRICKLE,
        placed=True,
    ),
    "go_away": Applied(
        "The connection ends after this response (HTTP/2: GOAWAY with this code).",
        Made(_CODE, fa.GoAway),
        alone=fa.GoAway(),
        placed=True,
    ),
    "finish": Bare("End the response here as if it were complete.", Finish(), placed=True),
    "hangup": Applied(
        "Close the connection (FIN) without the last chunk; on HTTP/2 the stream, or all of the connection.",
        Made(_CONNECTION, lambda _: Hangup(connection=True)),
        alone=Hangup(),
        placed=True,
    ),
    "reset": Applied(
        "Reset the connection (RST); on HTTP/2 the stream, with this code, or all of the connection.",
        _RESET,
        alone=Reset(),
        placed=True,
    ),
}
