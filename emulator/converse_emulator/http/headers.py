"""The headers of a request: looked up one at a time in the bytes that came, read whole only if need be."""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import TypeVar, overload

T = TypeVar("T")

_LINE = re.compile(rb"([^:\r\n]+):[ \t]*([^\r]*?)[ \t]*\r\n")


class Headers(Mapping[str, str]):
    """Text by lower-case name; the values of a name that stands twice are joined by a comma.

    `block` is the lines as they came, each ended by CRLF, after a CRLF; who makes it has seen that they are
    well-formed.
    """

    __slots__ = ("_block", "_lower", "_texts")

    def __init__(self, block: bytes) -> None:
        self._block = block
        self._lower = block.lower()
        self._texts: Mapping[str, str] | None = None

    @classmethod
    def of(cls, pairs: Iterable[tuple[bytes, bytes]]) -> "Headers":
        """From what ASGI has."""
        return cls(b"\r\n" + b"".join([b"%b: %b\r\n" % pair for pair in pairs]))

    def pairs(self) -> list[tuple[bytes, bytes]]:
        """As ASGI has them: in order, names in lower case."""
        return [(name.lower(), value) for name, value in _LINE.findall(self._block)]

    def names(self, among: re.Pattern[bytes]) -> list[bytes]:
        """The names that a pattern finds, which groups them after a CRLF; each as often as it stands."""
        return among.findall(self._lower)

    @overload
    def get(self, name: str, /) -> str | None: ...
    @overload
    def get(self, name: str, default: T, /) -> str | T: ...
    def get(self, name: str, default: object = None, /) -> object:
        field = _field(name)
        start = self._lower.find(field)
        if start < 0:
            return default
        start += len(field)
        if self._lower.find(field, start) >= 0:
            return self._whole()[name]
        return self._block[start : self._block.find(b"\r\n", start)].strip(b" \t").decode("latin-1")

    def __getitem__(self, name: str) -> str:
        return self._whole()[name]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and _field(name) in self._lower

    def __iter__(self) -> Iterator[str]:
        return iter(self._whole())

    def __len__(self) -> int:
        return len(self._whole())

    def _whole(self) -> Mapping[str, str]:
        if self._texts is None:
            texts: dict[str, str] = {}
            for name, value in self.pairs():
                key, text = name.decode("latin-1"), value.decode("latin-1")
                texts[key] = f"{texts[key]}, {text}" if key in texts else text
            self._texts = texts
        return self._texts


@lru_cache(maxsize=256)
def _field(name: str) -> bytes:
    return b"\r\n%b:" % name.encode("latin-1", "replace")
