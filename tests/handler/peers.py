"""The other end of one HTTP request."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Peer:
    """Takes one request, up to `end`, and gives one answer."""

    def __init__(self, answer: bytes, end: bytes) -> None:
        self.request = b""
        self._answer, self._end = answer, end
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"

    def serve(self) -> None:
        with self._listener:
            connection, _ = self._listener.accept()
            with connection:
                connection.settimeout(30)
                while not self.request.endswith(self._end):
                    received = connection.recv(65536)
                    if not received:
                        break
                    self.request += received
                connection.sendall(self._answer)


@contextmanager
def peer(answer: bytes, end: bytes) -> Iterator[Peer]:
    one = Peer(answer, end)
    thread = threading.Thread(target=one.serve)
    thread.start()
    try:
        yield one
    finally:
        thread.join(30)
