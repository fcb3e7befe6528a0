"""The far end of a WebSocket API: a browser that connects, asks by a message, and gets messages."""

import asyncio

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from converse_contract.delivery.numbered import NumberedListener
from converse_contract.dialect import HttpRequest
from converse_contract.listen import Cut, HandlerUnreachable

OPENED = 101  # Switching Protocols


class WebSocketListener(NumberedListener):
    """The target's URL is where to connect; the request's body is the message that asks."""

    _socket: ClientConnection

    async def cancel(self) -> None:
        await self._socket.send('{"action": "cancel"}')

    async def _converse(self, asked: HttpRequest) -> None:
        url = f"{self.target.url}?session={self.session}"
        try:
            async with connect(url, proxy=None, ping_interval=None, close_timeout=1.0) as socket:
                self._status = OPENED
                await socket.send(asked.body.decode())
                self._socket = socket
                await asyncio.sleep(self._pause)
                await self._until_over(lambda: socket.recv(decode=True))
        except ConnectionClosed as error:
            raise Cut from error
        except InvalidHandshake as error:
            raise HandlerUnreachable(f"{self.target.url} does not open a WebSocket: {error}") from error
        except OSError as error:
            raise HandlerUnreachable(f"no WebSocket at {self.target.url}: {error}") from error
