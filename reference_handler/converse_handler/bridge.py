"""The one bridge to botocore, which blocks: a thread for each call, and a way to end it from outside.

A thread that waits in `recv` can only be woken through its socket: closing the response from another
thread waits for the very lock that the reader holds. So the connection tells the call which socket it waits
on, and `close` shuts that socket down. The thread then gets an error at once, closes what it has, and ends.
This works before the response headers too, where there is no response to close yet. Only a connection that is
still being made cannot be interrupted; the connect timeout ends it.
"""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Mapping
from typing import Any

import boto3
from botocore.awsrequest import (
    AWSHTTPConnection,
    AWSHTTPConnectionPool,
    AWSHTTPSConnection,
    AWSHTTPSConnectionPool,
)
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from converse_handler.settings import Settings, SettingsError

BedrockEvent = Mapping[str, Any]  # one key, the event's type

QUEUE = 64  # events that may wait for the browser before Bedrock has to
MARGIN = 5.0  # seconds by which the SDK's own timeouts come after ours: a net, never the rule
POOL = 100  # connections kept for reuse; more streams than this still work


def connect(settings: Settings) -> Any:
    """A bedrock-runtime client that never retries; region, endpoint and credentials as AWS finds them.

    Raises `SettingsError` if AWS does not find enough.
    """
    config = Config(
        retries={"total_max_attempts": 1, "mode": "standard"},
        connect_timeout=settings.first_byte_timeout,
        read_timeout=max(settings.first_byte_timeout, settings.between_bytes_timeout) + MARGIN,
        max_pool_connections=POOL,
        tcp_keepalive=True,
    )
    try:
        return boto3.client("bedrock-runtime", config=config)
    except BotoCoreError as error:
        raise SettingsError(f"no client for Bedrock: {error}") from error


class Call:
    """One call of ConverseStream, in a thread of its own. Use it from the event loop that made it."""

    def __init__(self, client: Any, request: Mapping[str, Any]) -> None:
        self._client = client
        self._request = request
        self._loop = asyncio.get_running_loop()
        self._arrived: asyncio.Queue[BedrockEvent | Exception | None] = asyncio.Queue()
        self._room = threading.Semaphore(QUEUE)  # the bound of the queue, felt by the thread
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._closed = False
        threading.Thread(target=self._run, name="bedrock", daemon=True).start()

    async def next(self) -> BedrockEvent | None:
        """The next event, or None once the body is over; raises what botocore raised. Safe to cancel."""
        item = await self._arrived.get()
        self._room.release()
        if isinstance(item, Exception):
            raise item
        return item

    def close(self) -> None:
        """End the call now, wherever it stands; nothing more comes out of it. May be called twice."""
        with self._lock:
            self._closed = True
            if self._socket is not None:
                # The plain socket's method: SSLSocket's takes the TLS state away from under the reader.
                with contextlib.suppress(OSError):  # already closed
                    socket.socket.shutdown(self._socket, socket.SHUT_RDWR)
        self._room.release()

    def waits_on(self, connection: socket.socket) -> None:
        """In the thread: the request is sent, and this is where its answer will come from."""
        with self._lock:
            if self._closed:
                raise ConnectionAbortedError("closed before the answer came")
            self._socket = connection

    def _run(self) -> None:
        _this_thread.call = self
        outcome: Exception | None = None
        try:
            self._read()
        except Exception as error:
            outcome = error
        with self._lock:  # the connection may be serving another call from here on
            self._socket = None
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(self._arrived.put_nowait, outcome)

    def _read(self) -> None:
        with contextlib.closing(self._client.converse_stream(**self._request)["stream"]) as stream:
            for event in stream:
                self._room.acquire()
                if self._closed:
                    return
                self._loop.call_soon_threadsafe(self._arrived.put_nowait, event)


class Bedrock:
    """Makes calls through a boto3 client, whose connections it makes interruptible."""

    def __init__(self, client: Any) -> None:
        # botocore has no hook for this. The names have been the same since 2018, and a test watches them.
        session = client._endpoint.http_session
        session._pool_classes_by_scheme.update(http=_HttpPool, https=_HttpsPool)
        session.close()  # connections that were made before this cannot be interrupted
        self._client = client

    def start(self, request: Mapping[str, Any]) -> Call:
        """Call ConverseStream with these parameters. The caller must close the call."""
        return Call(self._client, request)


_this_thread = threading.local()


class _Interruptible:
    """Mixed into a connection: before it waits for a response it tells the thread's call its socket."""

    sock: socket.socket

    def getresponse(self) -> Any:
        call = getattr(_this_thread, "call", None)
        if call is not None:
            call.waits_on(self.sock)
        return super().getresponse()  # type: ignore[misc]


class _HttpConnection(_Interruptible, AWSHTTPConnection):  # type: ignore[misc]
    pass


class _HttpsConnection(_Interruptible, AWSHTTPSConnection):  # type: ignore[misc]
    pass


class _HttpPool(AWSHTTPConnectionPool):  # type: ignore[misc]
    ConnectionCls = _HttpConnection


class _HttpsPool(AWSHTTPSConnectionPool):  # type: ignore[misc]
    ConnectionCls = _HttpsConnection
