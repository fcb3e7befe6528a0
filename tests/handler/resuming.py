"""What the tests of resumption share: a client that reads ids, and a cable that can be cut."""

import contextlib
import re
import socket
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx

ASKED = {"messages": [{"role": "user", "content": "When does it renew?"}]}


def client() -> httpx.Client:
    return httpx.Client(trust_env=False, timeout=60)


def ids_in(text: str) -> list[str]:
    return re.findall(r"^id: (.+)$", text, re.MULTILINE)


def numbers_in(text: str) -> list[int]:
    return [int(id.rpartition("-")[2]) for id in ids_in(text)]


def text_in(stream: str) -> str:
    return "".join(re.findall(r'"delta":{"text":"([^"]*)"', stream))


def ask_until(url: str, seen: str, who: httpx.Client) -> str:
    """Ask, read until this was seen, and go; what was read."""
    with who.stream("POST", f"{url}/chat", json=ASKED) as response:
        read = ""
        for piece in response.iter_text():
            read += piece
            if seen in read and read.endswith("\n\n"):
                return read
    raise AssertionError(f"{seen!r} never came: {read!r}")


def resume(url: str, last_id: str, who: httpx.Client) -> httpx.Response:
    return who.get(f"{url}/chat/{last_id.rpartition('-')[0]}", headers={"last-event-id": last_id})


class Cable:
    """Between a browser and a server: carries bytes, until it is cut."""

    def __init__(self, url: str, listening: socket.socket) -> None:
        where = urlsplit(url)
        self._target = (where.hostname, where.port)
        self._listening = listening
        self._ends: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()
        self.url = f"http://127.0.0.1:{listening.getsockname()[1]}"

    def cut(self) -> None:
        """Every connection that there is now breaks."""
        for end in self._ends:
            with contextlib.suppress(OSError):  # it is over already
                end.shutdown(socket.SHUT_RDWR)

    def remove(self) -> None:
        """Cut it, and take nothing more."""
        self._listening.shutdown(socket.SHUT_RDWR)
        self.cut()
        for thread in self._threads:
            thread.join(10)
        for end in self._ends:
            end.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # no longer listening
            while True:
                browser, _ = self._listening.accept()
                server = socket.create_connection(self._target)
                self._ends += [browser, server]
                for ends in ((browser, server), (server, browser)):
                    self._threads.append(threading.Thread(target=self._carry, args=ends))
                    self._threads[-1].start()

    def _carry(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):  # cut
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def cable(url: str) -> Iterator[Cable]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        carrying = Cable(url, listening)
        try:
            yield carrying
        finally:
            carrying.remove()
