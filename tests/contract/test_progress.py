"""The progress line: on a terminal it is one line, rewritten; elsewhere one line is all."""

import io

import pytest
from converse_contract.progress import Progress
from converse_contract.verdict import Results


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def told(stream: io.StringIO, results: Results, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr("sys.stderr", stream)
    with Progress(len(results.results)) as progress:
        for result in results.results:
            progress(result)
        progress.note("measuring")
    return stream.getvalue()


def test_on_a_terminal_one_line_is_rewritten_and_wiped(
    some_results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = told(Terminal(), some_results, monkeypatch).split("\r\x1b[K")
    assert lines == [
        "",
        "0 of 6 cases …",
        "1 of 6 cases …",
        "2 of 6 cases, 1 failed …",
        "3 of 6 cases, 1 failed …",
        "4 of 6 cases, 1 failed …",
        "5 of 6 cases, 2 failed …",
        "6 of 6 cases, 3 failed …",
        "measuring …",
        "",
    ]


def test_elsewhere_there_is_one_line(some_results: Results, monkeypatch: pytest.MonkeyPatch) -> None:
    assert told(io.StringIO(), some_results, monkeypatch) == "running 6 cases …\n"
