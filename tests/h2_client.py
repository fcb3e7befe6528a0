"""An HTTP/2 client on the `h2` package: many streams on one connection, read and written as a test says."""

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import h2.config
import h2.connection
import h2.errors
import h2.events

RECEIVED = 1 << 20
GOAWAY = 7  # the type of the frame


@dataclass(slots=True)
class Stream:
    """A request and what has come back; `end` is `END_STREAM`, the name of an error code, or empty."""

    number: int
    interim: list[int] = field(default_factory=list)  # the statuses before the last one
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytearray = field(default_factory=bytearray)
    end: str = ""
    unsent: memoryview = field(default_factory=lambda: memoryview(b""))
    last: bool = False  # nothing will be added to `unsent`

    @property
    def status(self) -> int:
        return int(dict(self.headers)[":status"])


class H2Client:
    """A connection. `step` takes what the server sent; `until` does until something holds."""

    def __init__(self, connection: socket.socket, authority: str) -> None:
        self._socket = connection
        self._authority = authority
        self._received = b""  # of a frame that has not come whole
        self.streams: dict[int, Stream] = {}
        self.goes_away = False
        config = h2.config.H2Configuration(client_side=True, header_encoding="utf-8")
        self.connection = h2.connection.H2Connection(config)
        self.connection.initiate_connection()
        self.flush()
        self.step()  # the server's settings

    def request(self, path: str, body: bytes | None, method: str = "POST", **headers: str) -> Stream:
        """A new stream with its whole request; without a body the request stays open for `write`."""
        number = self.connection.get_next_available_stream_id()
        stream = self.streams[number] = Stream(number)
        pseudo = {":method": method, ":path": path, ":scheme": "https", ":authority": self._authority}
        self.connection.send_headers(number, [*pseudo.items(), *headers.items()])
        if body is not None:
            self.write(stream, body, last=True)
        self.flush()
        return stream

    def write(self, stream: Stream, data: bytes, *, last: bool = False) -> None:
        """Send more of a request, as the server's windows allow."""
        stream.unsent = memoryview(bytes(stream.unsent) + data)
        stream.last = last
        self._push(stream)
        self.flush()

    def send_past_h2(self, data: bytes) -> None:
        """Send bytes of which `h2` is to know nothing."""
        self._socket.sendall(data)

    def step(self) -> None:
        """Take the next bytes from the server."""
        data = self._socket.recv(RECEIVED)
        if not data:
            raise ConnectionResetError("the server closed the connection")
        self._received += data
        while (frame := self._frame()) is not None:
            if frame[3] == GOAWAY:  # `h2` takes the connection for closed then, and its streams go on
                self.goes_away = True
                continue
            for event in self.connection.receive_data(frame):
                self._happened(event)
        self.flush()

    def _frame(self) -> bytes | None:
        """The next frame, alone: what `h2` says of one that is wrong loses nothing of those before it."""
        size = 9 + int.from_bytes(self._received[:3], "big")
        if len(self._received) < max(9, size):
            return None
        frame, self._received = self._received[:size], self._received[size:]
        return frame

    def wait_at_most(self, seconds: float) -> None:
        """For the next bytes, from now on; then it is a `TimeoutError`."""
        self._socket.settimeout(seconds)

    def until(self, holds: Callable[[], object]) -> None:
        while not holds():
            self.step()

    def _happened(self, event: h2.events.Event) -> None:
        match event:
            case h2.events.InformationalResponseReceived(stream_id=int(number), headers=headers):
                statuses = [value for name, value in headers or [] if str(name) == ":status"]
                self.streams[number].interim += map(int, statuses)
            case h2.events.ResponseReceived(stream_id=int(number), headers=headers):
                self.streams[number].headers = [(str(name), str(value)) for name, value in headers or []]
            case h2.events.DataReceived(stream_id=int(number), data=data, flow_controlled_length=length):
                self.streams[number].body += data or b""
                self.connection.acknowledge_received_data(length or 0, number)
            case h2.events.StreamEnded(stream_id=int(number)):
                self.streams[number].end = "END_STREAM"
            case h2.events.StreamReset(stream_id=int(number), error_code=code):
                self.streams[number].end = h2.errors.ErrorCodes(code or 0).name
            case h2.events.WindowUpdated() | h2.events.RemoteSettingsChanged():
                for stream in self.streams.values():
                    self._push(stream)

    def _push(self, stream: Stream) -> None:
        while stream.unsent or stream.last:
            window = self.connection.local_flow_control_window(stream.number)
            size = min(window, self.connection.max_outbound_frame_size, len(stream.unsent))
            if stream.unsent and not size:
                return
            data, stream.unsent = bytes(stream.unsent[:size]), stream.unsent[size:]
            ends = stream.last and not stream.unsent
            self.connection.send_data(stream.number, data, end_stream=ends)
            if ends:
                stream.last = False

    def flush(self) -> None:
        if data := self.connection.data_to_send():
            self._socket.sendall(data)


@contextmanager
def h2_client(url: str, trust: Path | None = None, timeout: float = 30) -> Iterator[H2Client]:
    """A client connected to `http://HOST:PORT`, or `https://…` of a server with an authority to trust."""
    scheme, _, authority = url.partition("://")
    host, _, port = authority.rpartition(":")
    with socket.create_connection((host.strip("[]"), int(port)), timeout=timeout) as connection:
        if scheme == "http":
            yield H2Client(connection, authority)
            return
        context = ssl.create_default_context(cafile=trust)
        context.set_alpn_protocols(["h2"])
        with context.wrap_socket(connection, server_hostname=host) as secured:
            yield H2Client(secured, authority)
