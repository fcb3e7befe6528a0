"""The chain of signatures over a stream's events, against what the JavaScript SDK's signer makes of them."""

from datetime import UTC, datetime

import pytest
from converse_emulator.admission.event_signatures import Chain
from converse_emulator.admission.sigv4 import Claim
from converse_emulator.framing.eventstream import Message
from converse_emulator.http.refusals import ServiceError

DATE = datetime(2026, 11, 27, 12, tzinfo=UTC)
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
SIGNED = [
    (b"first", "4e480ba731cd38681f09173598a7fd0d4d51988ff8c5b525f7876d9e2268ed58"),
    (b"second", "cff3ee4bba81f141e35fb1b2368044fddddd622eeeea3ea9a3ad794e6c037906"),
    (b"", "17fa8096f1f14508272e5f728273ca0c23f66e600b89d3777464db0df255bbf3"),
]


def chain(secret: str = SECRET) -> Chain:
    credential = "AKIDEXAMPLE/20261127/us-east-1/bedrock/aws4_request"
    return Chain(Claim("AWS4-HMAC-SHA256", credential, ("host",), "a" * 64, DATE, None), secret)


def frame(payload: bytes, signature: str, date: datetime = DATE) -> Message:
    return Message(((":date", date), (":chunk-signature", bytes.fromhex(signature))), payload)


def test_each_signature_is_over_the_one_before() -> None:
    verifier = chain()
    for payload, signature in SIGNED:
        verifier.verify(frame(payload, signature))


@pytest.mark.parametrize(
    ("secret", "first"),
    [
        (SECRET, frame(*SIGNED[1])),  # one was left out
        (SECRET, frame(b"another", SIGNED[0][1])),
        (SECRET, frame(*SIGNED[0], datetime(2026, 11, 27, 13, tzinfo=UTC))),
        ("another", frame(*SIGNED[0])),
    ],
)
def test_what_does_not_match_is_refused(secret: str, first: Message) -> None:
    with pytest.raises(ServiceError, match="signature of an event of the input does not match") as refused:
        chain(secret).verify(first)
    assert refused.value.name == "InvalidSignatureException"


def test_an_event_without_a_signature_is_refused() -> None:
    with pytest.raises(ServiceError, match="is not signed"):
        chain().verify(Message((), b"first"))
