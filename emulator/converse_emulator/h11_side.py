"""uvicorn's protocol on h11, for where zttp is not: HTTP/1.1 alone, and a word to who comes with HTTP/2."""

import asyncio
import logging
import struct

from uvicorn.protocols.http.h11_impl import H11Protocol

from converse_emulator.http.http2 import HTTP_1_1_REQUIRED, PREFACE, Kind, connection_frame
from converse_emulator.installed import ZTTP

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
        self.transport.write(connection_frame(Kind.SETTINGS) + connection_frame(Kind.GOAWAY, goodbye))
        self.transport.close()
