"""Real clients show of every fault in the library what conformance/faults.toml says, and so the docs."""

import os
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from converse_emulator import Library

from conformance import faults

NAMES = faults.fault_names()


@pytest.fixture(scope="module")
def shown() -> Mapping[str, "Future[dict[str, str]]"]:
    """What each client shows, once it has: they wait more than they work, so they wait together."""
    pool = ThreadPoolExecutor(len(faults.CLIENTS))
    clients = [client for client in faults.CLIENTS if faults.command(client)]
    running = {client: pool.submit(faults.observe, client, NAMES) for client in clients}
    pool.shutdown(wait=False)
    return running


@pytest.mark.parametrize("client", faults.CLIENTS)
def test_a_client_shows_what_is_expected(client: str, shown: Mapping[str, "Future[dict[str, str]]"]) -> None:
    if client not in shown:
        assert not os.environ.get("CI"), ".ci/run makes the environment"
        pytest.skip("no environment; `python -m conformance.runner --build aws-sdk-js` makes it")
    expected = faults.load_faults()
    told = shown[client].result()
    wrong = {name: line for name, line in told.items() if line not in expected[name][client]}
    assert wrong == {}
    assert list(told) == NAMES


def test_every_fault_of_the_library_has_its_outcomes_and_no_other() -> None:
    table = faults.load_faults()
    assert list(table) == sorted(NAMES)
    assert all(list(row) == list(faults.CLIENTS) for row in table.values())


def test_the_file_is_as_it_would_be_written() -> None:
    assert faults.FILE.read_text(encoding="utf-8") == faults.written(faults.load_faults())


def test_topics_are_topics_of_the_library() -> None:
    assert set(faults.TOPICS) <= {name.split("/")[0] for name in Library().names()}


@pytest.mark.parametrize(
    ("came", "told"),
    [
        ({"events": ["messageStart", "messageStop", "metadata"], "error": None}, "ends as usual"),
        ({"events": ["messageStart", "messageStop"], "error": None}, "ends as usual, without usage"),
        ({"events": ["messageStart"], "error": None}, "ends silently"),
        ({"events": [], "error": None}, "ends silently, with nothing"),
        ({"events": [], "error": {"class": "a.b.KeyError", "text": "10"}}, "KeyError: 10"),
        (
            {"events": [], "error": {"class": "E", "text": "at position 97: 0xff of http://127.0.0.1:1"}},
            "E: at position …: … of",
        ),
    ],
)
def test_an_outcome_in_a_line(came: dict[str, object], told: str) -> None:
    assert faults.outcome(came) == told
