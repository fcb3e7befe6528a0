"""Of HTTP/2 what is said where no stream is ever answered: the frames of a connection (RFC 9113)."""

import struct
from enum import IntEnum

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"  # what a client begins with
FRAME_HEAD = 9  # bytes before a frame's payload
ACK = 1  # a flag
INITIAL_WINDOW_SIZE = 4  # a setting
HTTP_1_1_REQUIRED = 13  # an error code


class Kind(IntEnum):
    """Frames that are the connection's."""

    SETTINGS = 4
    PING = 6
    GOAWAY = 7


def connection_frame(kind: Kind, payload: bytes = b"", flags: int = 0) -> bytes:
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + bytes(4) + payload


NO_WINDOW = connection_frame(Kind.SETTINGS, struct.pack(">HI", INITIAL_WINDOW_SIZE, 0))


def acknowledgement(kind: int, flags: int, payload: bytes) -> bytes:
    """What a peer must get for its frame, if anything."""
    if flags & ACK:
        return b""
    match kind:
        case Kind.SETTINGS:
            return connection_frame(Kind.SETTINGS, flags=ACK)
        case Kind.PING:
            return connection_frame(Kind.PING, payload, ACK)
        case _:
            return b""
