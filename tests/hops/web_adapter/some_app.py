"""An ASGI application for the adapter, that does what the path says."""

import asyncio
import json
from typing import Any


class App:
    """`unready`: how often it answers `/` with 503 first. It keeps what it was asked."""

    def __init__(self, unready: int = 0, lifespan: str = "none") -> None:
        self.unready = unready
        self.lifespan = lifespan
        self.scopes: list[Any] = []
        self.bodies: list[bytes] = []
        self.ended: list[str] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self.live(scope, receive, send)
            return
        self.scopes.append(scope)
        self.bodies.append((await receive())["body"])
        await getattr(self, scope["path"].strip("/").replace("-", "_") or "root")(send, receive)
        self.ended.append(scope["path"])

    async def live(self, scope: Any, receive: Any, send: Any) -> None:
        match self.lifespan:
            case "none":
                raise RuntimeError("no lifespan here")
            case "fails":
                await send({"type": "lifespan.startup.failed", "message": "no database"})
            case _:
                assert (await receive())["type"] == "lifespan.startup"
                scope["state"]["opened"] = True
                await send({"type": "lifespan.startup.complete"})
                assert (await receive())["type"] == "lifespan.shutdown"
                self.ended.append("lifespan")
                await send({"type": "lifespan.shutdown.complete"})

    async def root(self, send: Any, _: Any) -> None:
        self.unready -= 1
        await head(send, 503 if self.unready >= 0 else 404)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def stream(self, send: Any, _: Any) -> None:
        await head(
            send,
            200,
            (b"Content-Type", b"text/event-stream"),
            (b"Set-Cookie", b"a=1"),
            (b"set-cookie", b"b=2"),
        )
        for number in range(3):
            await send({"type": "http.response.body", "body": b"data: %d\n\n" % number, "more_body": True})
        await send({"type": "http.response.body"})

    async def binary(self, send: Any, _: Any) -> None:
        await head(send, 201, (b"content-type", b"image/png"), (b"vary", b"a"), (b"vary", b"b"))
        await send({"type": "http.response.body", "body": b"\x89PNG"})

    async def events(self, send: Any, _: Any) -> None:
        await head(send, 200, (b"content-type", b"application/json"))
        await send(
            {"type": "http.response.body", "body": json.dumps({"had": self.bodies[-1].decode()}).encode()}
        )

    async def raises(self, _send: Any, _: Any) -> None:
        raise ValueError("before the head")

    async def breaks(self, send: Any, _: Any) -> None:
        await head(send, 200, (b"content-type", b"text/event-stream"))
        await send({"type": "http.response.body", "body": b"data: 0\n\n", "more_body": True})
        raise ValueError("in the middle")

    async def until_left(self, send: Any, receive: Any) -> None:
        await head(send, 200)
        gone = asyncio.create_task(receive())
        while not gone.done():
            await send({"type": "http.response.body", "body": b"x" * 1000, "more_body": True})
            await asyncio.sleep(0.001)
        assert gone.result() == {"type": "http.disconnect"}


async def head(send: Any, status: int, *headers: tuple[bytes, bytes]) -> None:
    await send({"type": "http.response.start", "status": status, "headers": list(headers)})


app = App()
