"""Acts tell in one line what they do."""

import pytest
from converse_emulator.playing.acts import (
    Act,
    ErrorCode,
    Finish,
    Gate,
    GoAway,
    Hangup,
    Head,
    Hold,
    Raw,
    Reset,
    Send,
    Torn,
    explain,
)


@pytest.mark.parametrize(
    ("act", "line"),
    [
        (Head(200, ()), "head 200"),
        (Send(b"abc", "messageStart"), "send 3 B (messageStart)"),
        (Gate("go"), "gate go"),
        (Hold(), "hold"),
        (Finish(), "finish"),
        (Hangup(), "hang up (FIN)"),
        (Hangup(connection=True), "hang up (FIN) the connection"),
        (Reset(), "reset (RST)"),
        (Reset(ErrorCode.CANCEL), "reset (RST) with CANCEL"),
        (Reset(connection=True), "reset (RST) the connection"),
        (GoAway(ErrorCode.ENHANCE_YOUR_CALM), "go away (ENHANCE_YOUR_CALM)"),
        (Raw(b"abc", "noise"), "raw 3 B (noise)"),
        (Torn(Head(200, ()), 20), "head 200, torn after 20 B"),
        (Torn(Send(b"abc", "metadata"), 0.5), "send 3 B (metadata), torn after 50%"),
        (Hold(Send(b"x", "byte"), every=0.5), "hold, every 0.5 s send 1 B (byte)"),
    ],
)
def test_explain(act: Act, line: str) -> None:
    assert explain(act) == line
