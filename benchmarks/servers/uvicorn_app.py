"""A bare ASGI application on uvicorn: the prepared bytes in one body. Arguments: port, file of the body."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import uvicorn

ANSWER = Path(sys.argv[2]).read_bytes()
HEAD = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"Content-Type", b"application/vnd.amazon.eventstream")],
}


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Read the request as a mock would, answer in one body."""
    assert scope["path"].startswith("/model/")
    body = bytearray()
    while True:
        message = await receive()
        body += message["body"]
        if not message["more_body"]:
            break
    json.loads(body)
    await send(HEAD)
    await send({"type": "http.response.body", "body": ANSWER, "more_body": False})


async def main() -> None:
    """Serve with the HTTP implementation that the emulator's uvicorn has."""
    config = uvicorn.Config(app, port=int(sys.argv[1]), http="zttp", log_config=None, lifespan="off")
    await uvicorn.Server(config).serve()


asyncio.run(main())
