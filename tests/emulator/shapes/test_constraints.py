"""Constraints compiled from shapes, and the words for what breaks them."""

import threading
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

import pytest
from converse_emulator.shapes.constraints import Checks
from converse_emulator.shapes.violations import summary

# A model in small: every kind of shape, and `Tree`, which contains itself.
SHAPES: dict[str, dict[str, Any]] = {
    "Request": {
        "type": "structure",
        "required": ["id", "tree"],
        "members": {
            "id": {"shape": "Id"},
            "tree": {"shape": "Tree"},
            "count": {"shape": "Count"},
            "share": {"shape": "Share"},
            "flag": {"shape": "Flag"},
            "colour": {"shape": "Colour"},
            "words": {"shape": "Words"},
            "labels": {"shape": "Labels"},
            "picture": {"shape": "Picture"},
            "free": {"shape": "Free"},
            "choice": {"shape": "Choice"},
            "at": {"shape": "Epoch"},
            "written": {"shape": "Written"},
            "secret": {"shape": "Secret"},
            "blocks": {"shape": "Blocks"},
            "big": {"shape": "Big"},
        },
    },
    "Id": {"type": "string", "min": 1, "max": 4, "pattern": "[a-z]+"},
    "Tree": {"type": "structure", "members": {"left": {"shape": "Tree"}, "name": {"shape": "Text"}}},
    "Text": {"type": "string"},
    "Count": {"type": "integer", "min": 1},
    "Big": {"type": "long"},
    "Share": {"type": "float", "min": 0, "max": 1},
    "Flag": {"type": "boolean"},
    "Colour": {"type": "string", "enum": ["red", "blue"]},
    "Words": {"type": "list", "member": {"shape": "Id"}, "min": 1, "max": 2},
    "Labels": {"type": "map", "key": {"shape": "Id"}, "value": {"shape": "Colour"}, "max": 1},
    "Picture": {"type": "blob", "min": 2, "max": 3},
    "Free": {"type": "structure", "members": {}, "document": True},
    "Choice": {
        "type": "structure",
        "union": True,
        "members": {"text": {"shape": "Text"}, "count": {"shape": "Count"}},
    },
    "Epoch": {"type": "timestamp"},
    "Written": {"type": "timestamp", "timestampFormat": "iso8601"},
    "Secret": {"type": "structure", "sensitive": True, "members": {"code": {"shape": "Id"}}},
    "Blocks": {"type": "list", "member": {"shape": "ContentBlock"}},
    "ContentBlock": {"type": "structure", "union": True, "members": {"count": {"shape": "Count"}}},
}
VALID = {"id": "ab", "tree": {}}


def problems(**members: Any) -> list[str]:
    """What is said of the request with these members; `Value at … constraint: ` is left out."""
    found = Checks(SHAPES)["Request"]({**VALID, **members})
    return [str(each).replace(" failed to satisfy constraint:", ":") for each in found]


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"id": "abcd", "count": 1, "share": 0, "flag": False, "colour": "red"},
        {"share": 1.0, "words": ["a", "bc"], "labels": {"a": "blue"}, "unknown": None},
        {"tree": {"left": {"left": {"name": ""}}}},
        {"picture": "AQI=", "at": 1.5, "written": "2026-11-22T10:00:00Z", "big": 2**40},
        {"free": {"any": [1, None, {"thing": 1.5}]}},
        {"free": []},
        {"free": 0},
        {"choice": {"text": "a"}},
        {"choice": {"text": None, "count": 1}},
        {"count": None, "words": None, "free": None},  # null is absent
        {"secret": {"code": "ab"}, "blocks": [{"count": 1}]},
    ],
)
def test_a_valid_value_has_no_violations(members: dict[str, Any]) -> None:
    assert problems(**members) == []


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"id": None}, ["Value null at 'id': Member must not be null"]),
        ({"id": ""}, ["Value '' at 'id': Member must have length greater than or equal to 1", "[a-z]+"]),
        ({"id": "abcde"}, ["Value 'abcde' at 'id': Member must have length less than or equal to 4"]),
        ({"id": "aB"}, ["Value 'aB' at 'id': Member must satisfy regular expression pattern: [a-z]+"]),
        ({"id": "ab\n"}, ["Value 'ab\n' at 'id': Member must satisfy regular expression pattern: [a-z]+"]),
        ({"id": "😀😀😀😀"}, ["pattern"]),  # four code points, eight UTF-16 units
        ({"count": 0}, ["Value '0' at 'count': Member must have value greater than or equal to 1"]),
        ({"count": 2**31}, ["Member must have value less than or equal to 2147483647"]),
        ({"big": 2**63}, ["Member must have value less than or equal to 9223372036854775807"]),
        ({"share": 7}, ["Value '7.0' at 'share': Member must have value less than or equal to 1"]),
        ({"share": -0.5}, ["Value '-0.5' at 'share': Member must have value greater than or equal to 0"]),
        ({"share": float("nan")}, ["Value 'nan' at 'share': Member must have value less than or equal to 1"]),
        ({"at": float("inf")}, ["Value 'inf' at 'at': Member must have value less than or equal to"]),
        ({"colour": "green"}, ["Value 'green' at 'colour': Member must satisfy enum value set: [red, blue]"]),
        ({"words": []}, ["Value at 'words': Member must have length greater than or equal to 1"]),
        (
            {"words": ["a", "b", "c"]},
            ["Value '[a, b, c]' at 'words': Member must have length less than or equal to 2"],
        ),
        ({"words": ["a", "B"]}, ["Value 'B' at 'words.2.member': Member must satisfy regular expression"]),
        ({"words": ["a", None]}, ["Value null at 'words.2.member': Member must not be null"]),
        ({"labels": {"a": "pink"}}, ["Value 'pink' at 'labels.a': Member must satisfy enum value set"]),
        ({"labels": {"a": None}}, ["Value null at 'labels.a': Member must not be null"]),
        (
            {"labels": {"A": "red"}},
            [
                "Value 'A' at 'labels': Map keys must satisfy constraint: "
                "[Member must satisfy regular expression pattern: [a-z]+]"
            ],
        ),
        (
            {"labels": {"a": "red", "b": "red"}},
            ["Value at 'labels': Member must have length less than or equal to 1"],
        ),
        ({"picture": "AQI"}, ["Value at 'picture': Member must be base64 with padding"]),
        ({"picture": "AQI=\n"}, ["Value at 'picture': Member must be base64 with padding"]),
        ({"picture": "Ä==="}, ["Value at 'picture': Member must be base64 with padding"]),
        ({"picture": "AQ=="}, ["Value at 'picture': Member must have length greater than or equal to 2"]),
        ({"written": "noon"}, ["Value 'noon' at 'written': Member must be an ISO 8601 timestamp"]),
        ({"choice": {}}, ["Value at 'choice': Member must have exactly one of [text, count]; found none"]),
        (
            {"choice": {"count": 1, "text": "a"}},
            ["Value at 'choice': Member must have exactly one of [text, count]; found count and text"],
        ),
        ({"choice": {"count": 0}}, ["Value '0' at 'choice.count': Member must have value"]),
        (
            {"choice": {"size": 1}},
            ["Value at 'choice.size': Member is not in the service model; allowed are [text, count]"],
        ),
        ({"tree": {"left": {"left": {"name": 1}}}}, ["Value '1' at 'tree.left.left.name': NUMBER_VALUE"]),
        ({"secret": {"code": "A"}}, ["Value at 'secret.code': Member must satisfy regular expression"]),
        ({"blocks": [{"count": 1}, {"count": 0}]}, ["Value at 'blocks.2.member.count': Member must have"]),
    ],
)
def test_a_violation_names_the_member_and_what_is_allowed(
    members: dict[str, Any], expected: list[str]
) -> None:
    found = problems(**members)
    assert len(found) == len(expected)
    assert all(part in text for part, text in zip(expected, found, strict=True)), found


@pytest.mark.parametrize(
    ("member", "value", "expected"),
    [
        ("id", 1, "Value '1' at 'id': NUMBER_VALUE cannot be converted to String"),
        ("id", True, "Value 'true' at 'id': TRUE_VALUE cannot be converted to String"),
        ("colour", 1.5, "Value '1.5' at 'colour': DECIMAL_VALUE cannot be converted to String"),
        ("tree", "a", "Value 'a' at 'tree': Expected structure or null"),
        ("tree", [], "Value at 'tree': Start of list found where not expected"),
        ("count", "1", "Value '1' at 'count': STRING_VALUE cannot be converted to Integer"),
        ("count", False, "Value 'false' at 'count': FALSE_VALUE cannot be converted to Integer"),
        ("count", 1.0, "Value '1.0' at 'count': DECIMAL_VALUE cannot be converted to Integer"),
        ("count", [1], "Value '[1]' at 'count': Start of list found where not expected"),
        ("share", "hot", "Value 'hot' at 'share': STRING_VALUE cannot be converted to Float"),
        ("share", True, "Value 'true' at 'share': TRUE_VALUE cannot be converted to Float"),
        ("flag", 0, "Value '0' at 'flag': NUMBER_VALUE cannot be converted to Boolean"),
        ("words", "a", "Value 'a' at 'words': Expected list or null"),
        ("words", {}, "Value at 'words': Start of structure or map found where not expected"),
        ("labels", 1, "Value '1' at 'labels': Expected map or null"),
        ("picture", 1, "Value '1' at 'picture': NUMBER_VALUE cannot be converted to ByteBuffer"),
        ("written", 1, "Value '1' at 'written': NUMBER_VALUE cannot be converted to Date"),
        ("choice", "a", "Value 'a' at 'choice': Expected structure or null"),
    ],
)
def test_a_wrong_type_is_told_in_the_words_of_the_service(member: str, value: Any, expected: str) -> None:
    assert problems(**{member: value}) == [expected]


def test_all_violations_are_found_in_the_order_of_the_model() -> None:
    broken = {"zeta": 1, "colour": "x", "alpha": 1, "count": 0, "id": "A"}
    paths = [each.path for each in Checks(SHAPES)["Request"](broken)]
    assert paths == ["id", "tree", "count", "colour", "alpha", "zeta"]


def test_a_pattern_that_cannot_be_checked_is_left_out_and_named() -> None:
    checks = Checks({"Name": {"type": "string", "min": 1, "pattern": r"\p{Han}+"}})
    assert checks["Name"]("abc") == ()
    assert [each.constraint for each in checks["Name"]("")] == [
        "Member must have length greater than or equal to 1"
    ]
    assert list(checks.skipped) == ["Name"]
    assert r"\p" in checks.skipped["Name"]


def test_a_type_that_only_a_newer_model_has_is_accepted() -> None:
    assert Checks({"New": {"type": "bigDecimal"}})["New"]("1.5") == ()


def test_the_summary_counts_the_violations() -> None:
    assert summary(["a"]) == "1 validation error detected: a"
    assert summary(["a", "b"]) == "2 validation errors detected: a; b"


def test_a_thread_waits_for_the_check_that_another_one_compiles() -> None:
    """A shape that contains itself has a stand-in while it is compiled: nobody else may see it."""
    compiling, go_on = threading.Event(), threading.Event()

    class Slow(dict[str, Any]):
        def __getitem__(self, name: str) -> Any:
            if name == "Leaf":
                compiling.set()
                go_on.wait(10)
            return super().__getitem__(name)

    leaf = {"type": "string"}
    checks = Checks(Slow(Tree={"type": "structure", "members": {"leaf": {"shape": "Leaf"}}}, Leaf=leaf))
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(lambda: list(checks["Tree"]({"leaf": "a"})))
        compiling.wait(10)
        second = pool.submit(lambda: list(checks["Tree"]({"leaf": "a"})))
        wait([second], timeout=0.1)
        go_on.set()
        assert first.result() == second.result() == []
