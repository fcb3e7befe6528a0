"""A connection whose client gets no window: it may say what it asks for, and not send the body.

Over HTTP/2 that is a matter of flow control: INITIAL_WINDOW_SIZE is 0, and no WINDOW_UPDATE comes. Settings
and pings are answered, so that the connection looks sound. HTTP/1.1 has no window but TCP's: nothing is read
beyond what tells the protocol.
"""

import asyncio

from converse_emulator.http.http2 import FRAME_HEAD, NO_WINDOW, PREFACE, acknowledgement
from converse_emulator.outage import Meet

METHOD_OF_PREFACE = PREFACE[:3]  # no request of HTTP/1.1 begins so
AT_ONCE = 16_384  # bytes that are read, and the largest payload that a client may send unasked


class ClosedWindow(asyncio.BufferedProtocol):
    """One connection; `silent` has those that wait for the end of the outage."""

    def __init__(self, silent: set[asyncio.BaseTransport], meet: Meet) -> None:
        self._silent = silent
        self._meet = meet
        self._transport: asyncio.Transport
        self._received = b""
        self._speaks_http2 = False  # the preface is there
        self._buffer = memoryview(bytearray(AT_ONCE))
        self._has_settings = False  # they were said

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._silent.add(transport)
        self._meet(transport)
        tls = transport.get_extra_info("ssl_object")
        if tls and tls.selected_alpn_protocol() == "h2":
            self._say_settings()

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._silent.discard(self._transport)

    def get_buffer(self, sizehint: int) -> memoryview:
        del sizehint
        if self._has_settings:
            return self._buffer
        return self._buffer[: len(METHOD_OF_PREFACE) - len(self._received)]

    def buffer_updated(self, nbytes: int) -> None:
        self._received += self._buffer[:nbytes]
        if self._speaks_http2:
            self._take_frames()
        elif self._received.startswith(PREFACE):
            self._speaks_http2 = True
            self._received = self._received.removeprefix(PREFACE)
            self._take_frames()
        elif not PREFACE.startswith(self._received):
            self._transport.pause_reading()
        elif self._received == METHOD_OF_PREFACE:
            self._say_settings()

    def _say_settings(self) -> None:
        """As early as possible: until they come, a client may send 65,535 bytes."""
        self._has_settings = True
        self._transport.write(NO_WINDOW)

    def _take_frames(self) -> None:
        while len(self._received) >= FRAME_HEAD:
            size = FRAME_HEAD + int.from_bytes(self._received[:3], "big")
            if size > FRAME_HEAD + AT_ONCE:
                self._transport.close()  # it is no HTTP/2
            if size > len(self._received):
                return
            frame, self._received = self._received[:size], self._received[size:]
            self._transport.write(acknowledgement(frame[3], frame[4], frame[FRAME_HEAD:]))
