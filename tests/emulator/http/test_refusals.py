"""The table of refusals against the installed service model and the recorded errors."""

import json
from pathlib import Path

import pytest
from converse_emulator.http.refusals import REFUSALS, THROWS, refusal
from converse_emulator.shapes import service

RECORDINGS = Path(__file__).parents[3] / "../shared/recordings"


@pytest.mark.parametrize("operation", ["Converse", "ConverseStream"])
def test_every_modelled_exception_is_in_the_table_with_its_status(operation: str) -> None:
    modelled = service.exception_statuses(operation)
    assert {name: REFUSALS[name].status for name in modelled if name in REFUSALS} == {
        name: status for name, status in modelled.items() if name in REFUSALS
    }
    # A newer botocore may have more; those of today are all written down.
    assert len(modelled.keys() & REFUSALS.keys()) >= 9


def test_every_exception_of_the_stream_has_a_text() -> None:
    of_today = {
        "internalServerException",
        "modelStreamErrorException",
        "serviceUnavailableException",
        "throttlingException",
        "validationException",
    }
    assert of_today <= service.stream_exceptions().keys() & THROWS.keys()
    assert all(THROWS.values())


def test_an_exception_that_only_a_newer_model_has_gets_its_status_and_a_plain_text() -> None:
    error = refusal("TiredException", 529)
    assert (error.code, error.status, error.key) == ("TiredException", 529, "message")
    assert "TiredException" in error.text
    assert refusal("TiredException").status == 400
    assert refusal("ThrottlingException", 529) is REFUSALS["ThrottlingException"]


def test_service_errors_and_authentication_errors_name_different_namespaces() -> None:
    assert REFUSALS["ThrottlingException"].error_type == (
        "ThrottlingException:http://internal.amazon.com/coral/com.amazon.bedrock/"
    )
    assert REFUSALS["ExpiredTokenException"].error_type == (
        "ExpiredTokenException:http://internal.amazon.com/coral/com.amazon.coral.service/"
    )


def test_only_the_front_doors_denials_have_a_capital_m() -> None:
    capital = {name for name, error in REFUSALS.items() if error.key == "Message"}
    assert capital == {
        "ExpiredApiKey",
        "IamAccessDenied",
        "InvalidApiKey",
        "InvalidApiKeyFormat",
        "MissingAuthorization",
    }
    assert {REFUSALS[name].code for name in capital} == {"AccessDeniedException"}
    assert {name for name, error in REFUSALS.items() if error.code != name} == capital


def test_recorded_errors_have_the_status_and_header_of_the_table() -> None:
    if not RECORDINGS.is_dir():
        pytest.skip("the recordings are not here")
    judged: set[str] = set()
    for path in RECORDINGS.glob("ERR-*.json"):
        sidecar = json.loads(path.read_text())
        if error_type := sidecar["errortype"]:
            error = REFUSALS[error_type.partition(":")[0]]
            judged.add(error.code)
            assert (error.error_type, error.status) == (error_type, sidecar["status"]), path
    assert len(judged) >= 5


def test_texts_that_are_called_recorded_are() -> None:
    if not RECORDINGS.is_dir():
        pytest.skip("the recordings are not here")
    bodies = [json.loads(path.with_suffix("").read_text()) for path in RECORDINGS.glob("ERR-*.json")]
    texts = {body.get("message") for body in bodies}
    # Of these the text is recorded, but not in a recording that was kept; the last one has other times in it.
    elsewhere = {
        "InternalServerException",
        "ServiceUnavailableException",
        "ThrottlingException",
        "InvalidSignatureException",
    }
    recorded = {name for name, error in REFUSALS.items() if error.evidence == "recorded"}
    assert {name for name in recorded if REFUSALS[name].text not in texts} == elsewhere
