"""Sessions with Nova Sonic by the JavaScript SDK, over HTTP/2: plain, secured, and every event signed."""

from dataclasses import replace
from pathlib import Path

import pytest
from converse_emulator import Emulator

from conformance.clients import load_clients
from conformance.environments import is_built
from conformance.expectations import load_expectations
from conformance.outcome import differences
from conformance.talk import talk

# The script in the environment of the quick client, which has the same packages.
CLIENT = replace(load_clients()["aws-sdk-js-sonic"], id="aws-sdk-js")
EXPECTED = load_expectations()["aws-sdk-js-sonic"]

pytestmark = pytest.mark.skipif(
    not is_built(CLIENT), reason="no environment; `python -m conformance.runner --build aws-sdk-js` makes it"
)


@pytest.mark.parametrize("condition", CLIENT.conditions)
def test_what_happens_to_a_session_is_what_is_expected(condition: str) -> None:
    with Emulator() as emulator:
        assert differences(talk(emulator, CLIENT, condition), EXPECTED[condition]) == []


def test_over_tls_it_is_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platformdirs.user_data_path", lambda name: tmp_path / name)
    with Emulator(tls=True) as emulator:
        assert differences(talk(emulator, CLIENT, "tools"), EXPECTED["tools"]) == []


@pytest.mark.parametrize(
    ("secret", "error"), [("dummy", ""), ("another", "InvalidSignatureException: The request")]
)
def test_its_signatures_are_verified(secret: str, error: str, tmp_path: Path) -> None:
    """Of the request and of each event: the last one, of the results of tools, comes long after the first."""
    (tmp_path / "keys.yaml").write_text(f"access_keys: {{AKIAIOSFODNN7EXAMPLE: {{secret: {secret}}}}}")
    with Emulator(credentials=tmp_path / "keys.yaml") as emulator:
        outcome = talk(emulator, CLIENT, "tools")
    assert outcome.error.startswith(error)
    assert bool(outcome.text) == (not error)
