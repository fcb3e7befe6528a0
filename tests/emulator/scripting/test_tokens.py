"""Tokens: nothing of a text is lost, whatever the cut."""

import pytest
from converse_emulator.language.scenario import Split
from converse_emulator.scripting.tokens import count, count_request, split, tokens
from hypothesis import given, settings
from hypothesis import strategies as st

unhurried = settings(deadline=None)  # a busy machine is no failure

TEXTS = st.text() | st.text(alphabet="aZé \n.,_5你🌍")
PIECES = st.lists(st.text(max_size=4), max_size=4).map(tuple)
SPLITS = st.sampled_from(["tokens", "words", "characters", "whole"]) | PIECES

ENGLISH = (
    "Your subscription renews on the first of every month, and you can cancel it at any time. "
    "If you cancel before the renewal, nothing is charged; what you have paid for stays available."
)


@unhurried
@given(TEXTS)
def test_the_tokens_joined_are_the_text(text: str) -> None:
    assert "".join(tokens(text)) == text
    assert all(tokens(text))


@unhurried
@given(TEXTS, SPLITS)
def test_the_pieces_joined_are_the_text(text: str, how: Split) -> None:
    pieces = split(text, how)
    assert "".join(pieces) == text
    assert pieces


def test_english_is_cut_as_a_reader_expects() -> None:
    assert tokens("Your subscription") == ["Your ", "sub", "scription"]
    assert 3.5 < len(ENGLISH) / count(ENGLISH) < 5.5


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("don't stop", ["don", "'", "t ", "stop"]),
        ("12345 x", ["123", "45 ", "x"]),
        ("a\n\nb", ["a", "\n\n", "b"]),
        ("你好吗", ["你好", "吗"]),
        ('{"city": "Paris"}', ['{"', "city", '": ', '"', "Paris", '"}']),
        ("", []),
    ],
)
def test_tokens(text: str, expected: list[str]) -> None:
    assert tokens(text) == expected


@pytest.mark.parametrize(
    ("text", "how", "expected"),
    [
        ("To be or", "words", ["To ", "be ", "or"]),
        (" a b ", "words", [" a ", "b "]),
        ("né", "characters", ["n", "é"]),
        ("To be", "whole", ["To be"]),
        ("To be", ("T", "o be"), ["T", "o be"]),
        ("To be", ("T", "", "o be", ""), ["T", "", "o be", ""]),
        ("To be", ("T",), ["T", "o be"]),
        ("To be", ("x", "T"), ["To be"]),
        ("", "tokens", [""]),
        ("", (), [""]),
    ],
)
def test_split(text: str, how: Split, expected: list[str]) -> None:
    assert split(text, how) == expected


def test_a_request_costs_its_messages_system_prompts_and_tools() -> None:
    messages = [{"role": "user", "content": [{"text": "Where is my order?"}]}]
    bare = count_request({"messages": messages})
    assert count("Where is my order?") < bare < 20
    assert count_request({"messages": messages, "inferenceConfig": {"maxTokens": 5}}) == bare
    assert count_request({"messages": messages, "system": [{"text": "Be kind."}]}) > bare
    assert (
        count_request({"messages": messages, "toolConfig": {"tools": [{"toolSpec": {"name": "x"}}]}}) > bare
    )
    assert count_request({}) == 1


def test_an_image_costs_the_same_whatever_its_bytes() -> None:
    def with_image(data: str) -> int:
        source = {"image": {"format": "png", "source": {"bytes": data}}}
        return count_request({"messages": [{"role": "user", "content": [source]}]})

    assert with_image("A" * 100_000) == with_image("AAAA") > 1_000
