"""Before and after: what is measured, and how it is laid beside the article."""

from collections.abc import Callable

import pytest
from converse_contract import Limits, ReferenceDialect, Target
from converse_contract.latency import ARTICLE, Comparison, NotMeasured, Timing, compare, timing
from converse_contract.serving import environment, serving
from converse_contract.transcript import Finished, Started, Text, Transcript

Make = Callable[..., Transcript]
DONE = Finished("end_turn", False)


def test_the_wait_is_the_longest_time_without_anything_new(transcript_of: Make) -> None:
    dribbled = transcript_of(Started(), Started(), Started(), Text("a"), Text("b"), DONE, every=0.5)
    assert timing(dribbled) == Timing(first_byte=2.0, total=3.5, wait=2.0)
    stalled = transcript_of(Text("a"), Started(), Started(), Text("b"), DONE, every=0.5)
    assert timing(stalled) == Timing(first_byte=0.5, total=3.0, wait=1.5)


def test_empty_text_shows_nothing(transcript_of: Make) -> None:
    assert timing(transcript_of(Text(""), Text("a"), every=0.5)).first_byte == 1.0


@pytest.mark.parametrize("ending", ["cut", "timed out", "no response"])
def test_a_broken_answer_is_not_measured(transcript_of: Make, ending: str) -> None:
    with pytest.raises(NotMeasured, match=f"no whole answer: {ending}"):
        timing(transcript_of(Text("a"), ending=ending))
    with pytest.raises(NotMeasured, match="no whole answer"):
        timing(transcript_of(Started()))


def test_the_table_has_the_articles_numbers_beside_ours() -> None:
    rows = {row.name: row.seconds for row in Comparison(Timing(1, 2, 3), Timing(4, 5, 6)).rows()}
    assert rows == {
        "time to first byte": (1, 4.2, 4, 0.8),
        "total response time": (2, 4.2, 5, 4.4),
        "user-perceived wait": (3, 4.2, 6, 0.8),
    }
    assert ARTICLE.before.wait == 4.2


def test_streaming_shows_text_long_before_the_answer_is_whole(emulator_url: str, handler_url: str) -> None:
    limits = Limits(total=60.0)
    with serving("converse_contract.mutants", "illusion", env=environment(emulator_url, limits)) as illusion:
        dialect = ReferenceDialect()
        measured = compare(Target(illusion, dialect, limits), Target(handler_url, dialect, limits))
    assert 0.8 <= measured.after.first_byte < measured.before.first_byte
    assert min(measured.before.first_byte, measured.before.wait, measured.after.total) >= 4.3
