"""Titan Image Generator and Nova Canvas: images of the size asked for, in a colour that the prompt gives."""

import hashlib
import struct
import zlib
from base64 import b64encode
from collections.abc import Mapping

from converse_emulator.language.scenario import Json
from converse_emulator.native.format import Answer, Body, Document, Format
from converse_emulator.native.reading import conversation, prompt

_LARGEST = 4096  # pixels of a side
_SIZE = 1024
_MOST = 5  # images of one request


def _read(body: Body) -> Body:
    return conversation(prompt(_text(body)))


def _text(body: Body) -> str:
    """The prompt, in whichever of the tasks' parameters it stands."""
    tasks = (task for name, task in body.items() if name.endswith("Params") and isinstance(task, Mapping))
    return next((str(task["text"]) for task in tasks if isinstance(task.get("text"), str)), "")


def _body(answer: Answer, message: Body) -> Document:
    del message  # a scenario cannot paint
    config = answer.native.get("imageGenerationConfig")
    config = config if isinstance(config, Mapping) else {}
    width, height = (_whole(config.get(side), _LARGEST, _SIZE) for side in ("width", "height"))
    number = _whole(config.get("numberOfImages"), _MOST, 1)
    seed = f"{_text(answer.native)}:{config.get('seed')}"
    images = [b64encode(png(width, height, f"{seed}:{n}")).decode() for n in range(number)]
    return {"images": images, "error": None}


def _whole(value: Json, most: int, usual: int) -> int:
    return value if type(value) is int and 1 <= value <= most else usual


def png(width: int, height: int, seed: str) -> bytes:
    """A PNG of one colour: one bit a pixel, all of them the palette's only entry."""
    colour = hashlib.sha256(seed.encode()).digest()[:3]
    rows = (b"\0" * (1 + (width + 7) // 8)) * height
    header = struct.pack(">IIBBBBB", width, height, 1, 3, 0, 0, 0)
    parts = ((b"IHDR", header), (b"PLTE", colour), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_part(kind, data) for kind, data in parts)


def _part(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


FORMAT = Format({"taskType": str}, _read, _body, speaks=False)
