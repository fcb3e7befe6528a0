"""One ConverseStream call of boto3 on a thread, read from asyncio, torn down when nobody wants it."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import boto3
from botocore.awsrequest import AWSHTTPConnection, AWSHTTPConnectionPool
from botocore.config import Config

Event = dict[str, Any]  # one event of the stream, as boto3 gives it
Start = Callable[[Callable[[], None]], object]  # has the work done on a thread
_thread = threading.local()


class _Connection(AWSHTTPConnection):  # type: ignore[misc]  # botocore has no types
    """Tells the call that uses it which socket it waits on: boto3 shows none before the headers are there."""

    def request(self, *args: Any, **kwargs: Any) -> None:
        self.owner = getattr(_thread, "call", None)  # and no longer that of the call before
        super().request(*args, **kwargs)
        if self.owner is not None:
            self.owner.reading(self)


class _Pool(AWSHTTPConnectionPool):  # type: ignore[misc]
    ConnectionCls = _Connection


@cache
def make_client() -> Any:
    """A client that retries nothing by itself and never gives up waiting: both are the handler's business."""
    config = Config(retries={"total_max_attempts": 1}, read_timeout=None, max_pool_connections=50)
    client = boto3.client(
        "bedrock-runtime",
        config=config,
        region_name="us-east-1",
        aws_access_key_id="mutant",  # none that could be billed
        aws_secret_access_key="mutant",
    )
    client._endpoint.http_session._manager.pool_classes_by_scheme["http"] = _Pool
    return client


def _thread_of_its_own(work: Callable[[], None]) -> None:
    threading.Thread(target=work, daemon=True).start()


class Call:
    """`get` gives the next event, None at the stream's end, or raises what boto3 raised."""

    def __init__(self, client: Any, request: dict[str, Any], start: Start = _thread_of_its_own) -> None:
        self.queue: asyncio.Queue[Event | Exception | None] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()
        self._reads: tuple[_Connection, socket.socket] | None = None
        self._unwanted = False
        start(lambda: self._pump(client, request))

    async def get(self) -> Event | None:
        item = await self.queue.get()
        if isinstance(item, Exception):
            raise item
        return item

    def close(self) -> None:
        """Shut the socket, which wakes the thread wherever it waits; the emulator sees the client leave."""
        self._unwanted = True
        if self._reads is None:
            return
        connection, waits_in = self._reads
        if connection.owner is self:  # the pool may have passed it on
            with contextlib.suppress(OSError):  # the other side was faster
                waits_in.shutdown(socket.SHUT_RDWR)

    def read(self, stream: Any) -> Iterator[Event]:
        """The stream's events; called on the thread."""
        return iter(stream)

    def let_go(self, stream: Any) -> None:
        """The stream is over, well or not; called on the thread."""
        stream.close()

    def reading(self, connection: _Connection) -> None:
        """The request is out; called on the thread."""
        self._reads = connection, connection.sock
        if self._unwanted:
            self.close()

    def _pump(self, client: Any, request: dict[str, Any]) -> None:
        _thread.call = self
        stream: Any = None
        end: Exception | None = None
        try:
            stream = client.converse_stream(**request)["stream"]
            for event in self.read(stream):
                self._put(event)
        except Exception as error:  # whatever it is, it belongs to whoever waits for the next event
            end = error
        self._reads = None  # from here on the connection is the pool's
        if stream is not None:
            self.let_go(stream)
        self._put(end)

    def _put(self, item: Event | Exception | None) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is gone, and with it everybody who could listen
            self._loop.call_soon_threadsafe(self.queue.put_nowait, item)
