"""uvicorn's protocol on zttp, which has HTTP/1.1 and HTTP/2.

All that the project knows of uvicorn's and zttp's inside is in this module, in `http2_lane`, in `h11_side`
and in `wires`. It is imported when first needed: uvicorn takes a tenth of a second. `transport` says at
start-up if it fits.
"""

import asyncio
from typing import TYPE_CHECKING, Any

import zttp
from uvicorn.protocols.http import auto_zttp_impl, zttp_h2_impl, zttp_impl

from converse_emulator.http2_lane import Http2Lane

if TYPE_CHECKING:
    from converse_emulator.lane import AnswerTo

NEEDED = (
    (auto_zttp_impl.AutoZttpProtocol, "connection_made"),
    (auto_zttp_impl.AutoZttpProtocol, "_switch"),
    (zttp_impl.RequestResponseCycle, "send"),
    (zttp.H1Connection, "send_informational"),
    (zttp_h2_impl.ZttpH2Protocol, "data_received"),
    (zttp_h2_impl.ZttpH2Protocol, "handle_events"),
    (zttp_h2_impl.ZttpH2Protocol, "events"),
    (zttp_h2_impl.ZttpH2Protocol, "handle_request"),
    (zttp_h2_impl.ZttpH2Protocol, "_close_connection"),
    (zttp_h2_impl.RequestResponseCycle, "send"),
    (zttp.H2Connection, "close"),
    (zttp.H2Connection, "has_pending_send"),
    (zttp.Request, "end_stream"),
    (zttp.Stream, "end_message"),
    (zttp.Stream, "pending_bytes"),
    (zttp.Stream, "reset"),
    (zttp.Stream, "send_data"),
    (zttp.Stream, "send_response"),
)
SET = (  # in `__init__`
    (zttp_h2_impl.ZttpH2Protocol, ("app", "app_state", "conn", "cycles", "flow", "shutdown_requested")),
    (
        zttp_h2_impl.RequestResponseCycle,
        ("body", "conn", "disconnected", "message_event", "more_body", "stream"),
    ),
)


def missing() -> list[str]:
    """What this module and `wires` use, and the installed versions do not have."""
    lacking = [(owner, name) for owner, name in NEEDED if not hasattr(owner, name)]
    for owner, names in SET:
        lacking += [(owner, name) for name in names if name not in owner.__init__.__code__.co_names]
    return [f"{owner.__qualname__}.{name}" for owner, name in lacking]


class Connection(auto_zttp_impl.AutoZttpProtocol):
    """HTTP/1.1 or HTTP/2, as the client begins; its transport is in `scope["state"]["transport"]`."""

    def __init__(self, answer_to: "AnswerTo | None", *uvicorns: Any, **named: Any) -> None:
        super().__init__(*uvicorns, **named)
        self._answer_to = answer_to

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.app_state = {"transport": transport}
        super().connection_made(transport)

    def _switch(self, http2: bool, initial_data: bytes = b"") -> None:
        if not http2:
            super()._switch(http2, initial_data)
            return
        lane = Http2Lane(self._answer_to, self.config, self.server_state, self.app_state, self.loop)
        self.transport.set_protocol(lane)
        lane.connection_made(self.transport)
        if initial_data:
            lane.data_received(initial_data)
