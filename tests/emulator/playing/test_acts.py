"""Acts tell in one line what they do."""

import pytest
from converse_emulator.playing.acts import Act, Finish, Gate, Hangup, Head, Hold, Reset, Send, explain


@pytest.mark.parametrize(
    ("act", "line"),
    [
        (Head(200, ()), "head 200"),
        (Send(b"abc", "messageStart"), "send 3 B (messageStart)"),
        (Gate("go"), "gate go"),
        (Hold(), "hold"),
        (Finish(), "finish"),
        (Hangup(), "hang up (FIN)"),
        (Reset(), "reset (RST)"),
    ],
)
def test_explain(act: Act, line: str) -> None:
    assert explain(act) == line
