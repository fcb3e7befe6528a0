"""uvicorn's protocol on zttp, which has HTTP/1.1 and HTTP/2.

All that the project knows of uvicorn's and zttp's inside is in this module, in `h11_side` and in `wires`. It
is imported when first needed: uvicorn takes a tenth of a second. `transport` says at start-up if it fits.
"""

import asyncio

import zttp
from uvicorn.protocols.http import auto_zttp_impl, zttp_h2_impl, zttp_impl

NEEDED = (
    (auto_zttp_impl.AutoZttpProtocol, "connection_made"),
    (zttp_impl.RequestResponseCycle, "send"),
    (zttp.H1Connection, "send_informational"),
    (zttp_h2_impl.RequestResponseCycle, "send"),
    (zttp.H2Connection, "close"),
    (zttp.Stream, "reset"),
)


def missing() -> list[str]:
    """What this module and `wires` use, and the installed versions do not have."""
    return [f"{owner.__qualname__}.{name}" for owner, name in NEEDED if not hasattr(owner, name)]


class Connection(auto_zttp_impl.AutoZttpProtocol):
    """HTTP/1.1 or HTTP/2, as the client begins; its transport is in `scope["state"]["transport"]`."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.app_state = {"transport": transport}
        super().connection_made(transport)
