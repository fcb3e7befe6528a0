"""Patterns of the service model, translated for Python."""

import pytest
from converse_emulator.shapes.patterns import Untranslatable, translate


@pytest.mark.parametrize(
    ("pattern", "matching", "others"),
    [
        ("[a-zA-Z0-9_-]+", ["get_weather", "a-b"], ["", "get weather", "a.b", "ü"]),
        ("[a-zA-Z0-9-:.]+", ["a-b:c.1"], ["a_b", "a/b"]),
        (r"[\s\S]*", ["", "a\nb"], []),
        (r"\S*", ["a", "\u00a0"], ["a b"]),  # Java's \s is ASCII
        (r"\w\d", ["a1"], ["é1", "a٣"]),
        ("a.b", ["a b", "a.b"], ["a\nb", "a\rb", "a\u2028b", "a\u0085b"]),
        ("[.]x[a.]", [".xa", ".x."], ["axa"]),
        ("(^(ab)$)|(^cd$)", ["ab", "cd"], ["abcd", "ab\n"]),
        (r"(?<word>a)b", ["ab"], ["a"]),
        (r"(?<=a)b|(?<!a)c", ["c"], ["b"]),
        (r"ab\z", ["ab"], ["ab\n"]),
        (r"\[a\]\.", ["[a]."], ["a."]),
    ],
)
def test_a_pattern_matches_as_in_java(pattern: str, matching: list[str], others: list[str]) -> None:
    matches = translate(pattern).fullmatch
    assert [text for text in [*matching, *others] if matches(text)] == matching


@pytest.mark.parametrize(
    ("pattern", "part"),
    [
        (r"\p{Han}+", r"\p"),
        (r"\Qa.b\E", r"\Q"),
        ("[a-z&&[^b]]", "&&"),
        ("[a[bc]]", "["),
        ("(", "missing )"),
        ("a\\", "bad escape"),
    ],
)
def test_what_cannot_be_translated_says_which_part(pattern: str, part: str) -> None:
    with pytest.raises(Untranslatable) as raised:
        translate(pattern)
    assert part in str(raised.value)
