"""A stretch of network delays every byte, counts what goes down, and knows when something went up."""

import socket
import time
from contextlib import suppress
from threading import Thread
from urllib.parse import urlsplit

from delivery.relay import Relay

DELAY = 0.1  # seconds


def echo(listening: socket.socket) -> None:
    peer, _ = listening.accept()
    with peer:
        while data := peer.recv(1024):
            peer.sendall(data * 2)


def test_bytes_are_late_each_way_and_counted() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = Thread(target=echo, args=[listening])
        thread.start()
        with Relay(f"http://127.0.0.1:{listening.getsockname()[1]}", DELAY) as relay:
            address = urlsplit(relay.instead_of("ws://127.0.0.1:1/prod"))
            assert (address.scheme, address.path) == ("ws", "/prod")
            with socket.create_connection((address.hostname, address.port or 0)) as browser:
                began = time.monotonic(), time.time()
                browser.sendall(b"one")
                assert browser.recv(1024) == b"oneone"
                assert time.monotonic() - began[0] >= 2 * DELAY
                browser.shutdown(socket.SHUT_WR)
                assert browser.recv(1024) == b""
            (asked,) = relay.asked
            assert began[1] <= asked < began[1] + 2 * DELAY + 5
            assert relay.down == 6
        thread.join()


def test_nobody_behind_it_is_a_connection_that_breaks() -> None:
    with Relay("http://127.0.0.1:1", 0.0) as relay:
        address = urlsplit(relay.url)
        with socket.create_connection((address.hostname, address.port or 0)) as browser:
            browser.settimeout(10)
            with suppress(ConnectionResetError):
                assert browser.recv(1) == b""
