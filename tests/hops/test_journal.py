"""The journal of a hop: where a stream is held, what is kept, who is waited for."""

import json
import threading
import time

import pytest
from converse_hops import journal as journals
from converse_hops import passage as passages
from converse_hops.journal import Journal


def test_it_tells_where_a_stream_is_held() -> None:
    passage = Journal().open("GET /chat")
    passage.note("up", "received", 10, "GET /chat")
    passage.note("up", "passed", 10)
    passage.note("down", "received", 100)
    passage.note("down", "received", 20)
    assert (passage.held("up"), passage.held("down")) == (0, 120)
    assert str(passage).startswith("GET /chat: had 120 bytes from its origin and passed on 0\n")
    passage.note("down", "passed", 120)
    assert passage.held() == 0
    assert [record.size for record in passage.of("received")] == [100, 20]


def test_moments_are_of_one_clock_and_in_order() -> None:
    began = time.monotonic()
    passage = Journal().open("x")
    for _ in range(3):
        passage.note("down", "received", 1)
    moments = [record.at for record in passage.records]
    assert moments == sorted(moments)
    assert began <= moments[0] <= moments[-1] <= time.monotonic()


def test_it_is_json() -> None:
    journal = Journal()
    journal.open("GET /").note("down", "cut", detail="idle timeout of 60 s")
    (told,) = json.loads(journal.to_json())
    at = told["records"][0].pop("at")
    assert isinstance(at, float)
    assert told == {
        "number": 1,
        "about": "GET /",
        "dropped": 0,
        "records": [{"direction": "down", "what": "cut", "size": 0, "detail": "idle timeout of 60 s"}],
    }


def test_a_passage_is_bounded_and_its_totals_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passages, "MOST_RECORDS", 5)
    passage = Journal().open("x")
    for _ in range(8):
        passage.note("down", "received", 3)
    assert (passage.kept, passage.dropped, passage.total("received")) == (5, 3, 24)


def test_the_journal_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journals, "MOST_PASSAGES", 3)
    monkeypatch.setattr(journals, "MOST_RECORDS", 10)
    journal = Journal()
    for _ in range(5):
        journal.open("x")
    assert [passage.number for passage in journal] == [3, 4, 5]
    for _ in range(11):
        journal.last.note("down", "received", 1)
    journal.open("y")
    assert [passage.number for passage in journal] == [6]


def test_a_test_waits_for_what_happens() -> None:
    journal = Journal()
    journal.open("GET /")
    with pytest.raises(TimeoutError, match=r"not within 0.01 s; the journal has:\nGET /"):
        journal.wait(lambda all: all.last.happened("ended"), timeout=0.01)
    threading.Timer(0.05, lambda: journal.last.note("down", "ended")).start()
    journal.wait(lambda all: all.last.happened("ended"))
    journal.clear()
    with pytest.raises(LookupError, match="nothing has passed"):
        _ = journal.last


def test_many_threads_may_look_while_it_grows() -> None:
    journal = Journal()
    passage = journal.open("x")
    ended = threading.Event()

    def look() -> None:
        while not ended.is_set():
            assert len(passage.records) <= passage.kept
            _ = str(journal), journal.to_json()

    threads = [threading.Thread(target=look) for _ in range(2)]
    for thread in threads:
        thread.start()
    for _ in range(500):
        passage.note("down", "received", 1)
    ended.set()
    for thread in threads:
        thread.join()
    assert passage.total("received") == 500
