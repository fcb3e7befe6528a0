"""What passes between the adapter and an application: requests, and responses as they come."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from converse_hops.http.link import Headers


@dataclass(frozen=True, slots=True)
class WebRequest:
    """`target` is path and query, as they are written on the wire."""

    method: str
    target: str
    headers: Headers
    body: bytes


@dataclass(frozen=True, slots=True)
class WebResponse:
    """`chunks` raises `ApplicationError` when the application breaks off."""

    status: int
    headers: Headers
    chunks: AsyncIterator[bytes]


class ApplicationError(Exception):
    """The application gave no response, or no whole one."""


class Application(Protocol):
    """Any web application."""

    async def start(self) -> None:
        """Make it ready to be asked; raises `ApplicationError`."""

    async def stop(self) -> None:
        """No more requests."""

    def answer(self, request: WebRequest) -> AbstractAsyncContextManager[WebResponse]:
        """Its response, once the head is there; raises `ApplicationError`. Left early, it is let go of."""
