"""The wire of a connection on h11 (see `h11_side`): `Http1Wire` where the framing is h11's."""

import h11

from converse_emulator.wires.http1 import Http1Wire

Headers = list[tuple[bytes, bytes]]


class H11Wire(Http1Wire):
    """h11 gives what it frames at once; it is kept until it is asked for."""

    _kept = b""

    def _inform(self, status: int, headers: Headers) -> None:
        self._keep(h11.InformationalResponse(status_code=status, headers=headers))

    def _frame_head(self, status: int, headers: Headers) -> None:
        self._keep(h11.Response(status_code=status, headers=headers))

    def _frame_chunk(self, data: bytes) -> None:
        self._keep(h11.Data(data=data))

    def _keep(self, event: h11.Event) -> None:
        self._kept += self._cycle.conn.send(event) or b""

    def _framed(self) -> bytes:
        kept, self._kept = self._kept, b""
        return kept
