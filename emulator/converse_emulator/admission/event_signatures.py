"""Signatures of the events that a client streams: each is over the one before, the first over the request's.

AWS4-HMAC-SHA256-PAYLOAD · :date · scope · the signature before · SHA-256 of the header :date · of the payload
"""

import hashlib
import hmac
from datetime import datetime

from converse_emulator.admission.sigv4 import BASIC, Claim, signing_key
from converse_emulator.framing.eventstream import Message, encode_headers
from converse_emulator.http.refusals import ServiceError

STREAMED = "STREAMING-AWS4-HMAC-SHA256-EVENTS"  # the request's x-amz-content-sha256


class Chain:
    """Verifies one stream, frame by frame."""

    def __init__(self, claim: Claim, secret: str) -> None:
        self._secret = secret
        self._rest_of_scope = claim.scope.partition("/")[2]
        self._before = claim.signature

    def verify(self, frame: Message) -> None:
        """Raise `ServiceError` unless the frame is signed, and so that it belongs here."""
        date, signature = frame.header(":date"), frame.header(":chunk-signature")
        if not isinstance(date, datetime) or not isinstance(signature, bytes):
            raise ServiceError(
                "IncompleteSignatureException",
                "An event of the input is not signed: it needs the headers :date and :chunk-signature.",
            )
        expected = self._signature(date, frame.payload)
        if not hmac.compare_digest(expected, signature):
            raise ServiceError(
                "InvalidSignatureException",
                "The signature of an event of the input does not match: it is not the next of its stream, or "
                "was changed on its way.",
            )
        self._before = signature.hex()

    def _signature(self, date: datetime, payload: bytes) -> bytes:
        scope = f"{date.strftime('%Y%m%d')}/{self._rest_of_scope}"
        header = hashlib.sha256(encode_headers(((":date", date),))).hexdigest()
        hashed = hashlib.sha256(payload).hexdigest()
        parts = ["AWS4-HMAC-SHA256-PAYLOAD", date.strftime(BASIC), scope, self._before, header, hashed]
        return hmac.digest(signing_key(self._secret, scope), "\n".join(parts).encode(), "sha256")
