"""uvicorn's protocol on h11, for where zttp is not: HTTP/1.1 alone, and a word to who comes with HTTP/2."""

import asyncio
import logging
import struct

from uvicorn.protocols.http.h11_impl import H11Protocol

from converse_emulator.installed import ZTTP

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"  # what a client begins with that speaks HTTP/2 unasked
HTTP_1_1_REQUIRED = 13

logger = logging.getLogger(__name__)


class Connection(H11Protocol):
    """HTTP/1.1; its transport is in `scope["state"]["transport"]`."""

    _begun = b""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.app_state = {"transport": transport}
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        if len(self._begun) < len(PREFACE):
            self._begun += data
            if self._begun.startswith(PREFACE):
                self._decline()
                return
            if PREFACE.startswith(self._begun):
                return  # no request of HTTP/1.1 begins so, but more has to come to be sure
            data, self._begun = self._begun, PREFACE
        super().data_received(data)

    def _decline(self) -> None:
        advice = (
            f"HTTP/2 is not spoken here: install it by `pip install '{ZTTP}'`, or let the client speak "
            "HTTP/1.1 (AWS SDK for JavaScript: requestHandler: new NodeHttpHandler())"
        )
        logger.error("A client came with HTTP/2. %s", advice)
        goodbye = struct.pack(">II", 0, HTTP_1_1_REQUIRED) + advice.encode()
        self.transport.write(_frame(4, b"") + _frame(7, goodbye))
        self.transport.close()


def _frame(kind: int, payload: bytes) -> bytes:
    """A frame of the connection: 4 is SETTINGS, 7 is GOAWAY."""
    return struct.pack(">I", len(payload))[1:] + bytes([kind, 0]) + bytes(4) + payload
