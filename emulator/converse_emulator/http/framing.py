"""HTTP/1.1's framing of one response: the bytes that wait to be sent, as zttp's connection has them."""

from collections.abc import Sequence
from functools import lru_cache

Headers = list[tuple[bytes, bytes]]

BODYLESS = frozenset({204, 304})


class Framing:
    """Frames a head, a body in chunks (`chunked`) or of a length, and its end.

    `closes`: no response can follow.
    """

    def __init__(self, *, closes: bool) -> None:
        self.closes = closes
        self.chunked = False
        self._bodyless = False
        self._waiting: list[bytes] = []

    def send_informational(self, status: int, headers: Headers) -> None:
        self._waiting.append(_head(status, headers))

    def send_response(self, status: int, headers: Headers) -> None:
        named = {name.lower(): value for name, value in headers}
        self._bodyless = status in BODYLESS
        self.chunked = b"transfer-encoding" in named and not self._bodyless
        if not (self.chunked or self._bodyless or b"content-length" in named):
            headers = [*headers, (b"transfer-encoding", b"chunked")]
            self.chunked = True
        self.closes |= named.get(b"connection", b"").lower() == b"close"
        self._waiting.append(_head(status, headers))

    def send_data(self, data: bytes) -> None:
        if self.chunked:
            self._waiting += (b"%x\r\n" % len(data), data, b"\r\n")
        elif not self._bodyless:
            self._waiting.append(data)

    def end_message(self) -> None:
        if self.chunked:
            self._waiting.append(b"0\r\n\r\n")

    def data_to_send(self) -> bytes:
        """What waits, as one; then nothing waits any more."""
        data = b"".join(self._waiting)
        self._waiting.clear()
        return data


def whole_response(status: int, headers: Sequence[tuple[str, str]], body: bytes) -> tuple[bytes, bool]:
    """What `Framing` makes of a response that is all there, and says how long it is; whether it closes."""
    lines = "\r\n" + "".join([f"{name}: {value}\r\n" for name, value in headers])
    lower = lines.lower()
    parts = [_status_line(status), lines[2:].encode("latin-1"), b"\r\n"]
    if status not in BODYLESS:
        if "\r\ntransfer-encoding: " not in lower:
            parts.append(body)
        elif body:
            parts += (b"%x\r\n" % len(body), body, b"\r\n0\r\n\r\n")
        else:
            parts.append(b"0\r\n\r\n")
    return b"".join(parts), "\r\nconnection: close\r\n" in lower


def _head(status: int, headers: Headers) -> bytes:
    lines = [b"%b: %b\r\n" % header for header in headers]
    return b"".join((_status_line(status), *lines, b"\r\n"))


@lru_cache(maxsize=64)
def _status_line(status: int) -> bytes:
    if status == 200:
        return b"HTTP/1.1 200 OK\r\n"
    from http import HTTPStatus  # 2 ms that not every start needs

    phrase = next((known.phrase for known in HTTPStatus if known == status), "")
    return f"HTTP/1.1 {status} {phrase}\r\n".encode()
