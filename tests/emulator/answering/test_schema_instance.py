"""Instances of JSON Schemas: what comes back is valid, and what cannot be made is said so."""

import json
from collections.abc import Mapping
from random import Random
from typing import Any

import pytest
from converse_emulator.answering.schema_instance import UnsupportedSchema, instance
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

unhurried = settings(deadline=None)  # a busy machine is no failure

Schema = dict[str, Any]
SEEDS = st.integers(0, 2**32)

WEATHER: Schema = {
    "type": "object",
    "properties": {
        "city": {"type": "string", "minLength": 1},
        "days": {"type": "integer", "minimum": 1, "maximum": 7},
        "unit": {"enum": ["celsius", "fahrenheit"]},
    },
    "required": ["city", "days", "unit"],
    "additionalProperties": False,
}


def assert_valid(schema: Any, seed: int = 0) -> Any:
    value = instance(schema, Random(seed))
    Draft202012Validator(schema).validate(value)
    json.dumps(value, allow_nan=False)
    return value


# A schema that has an instance, by construction: bounds in order, members that exist.


def bounds(low: str, high: str, least: int = 0, most: int = 12) -> st.SearchStrategy[Schema]:
    pairs = st.lists(st.integers(least, most), min_size=2, max_size=2).map(sorted)
    return st.builds(
        lambda pair, has_low, has_high: (
            ({low: pair[0]} if has_low else {}) | ({high: pair[1]} if has_high else {})
        ),
        pairs,
        st.booleans(),
        st.booleans(),
    )


NAMES = st.sampled_from(["city", "unit", "when", "a/b", "größe", ""])
STRINGS = st.builds(
    lambda rest, form: {"type": "string", **rest, **form},
    bounds("minLength", "maxLength"),
    st.sampled_from([{}, {"format": "date-time"}, {"format": "email"}, {"format": "unheard-of"}]),
) | st.builds(
    lambda pattern: {"type": "string", "pattern": pattern},
    st.sampled_from(
        [
            r"^[A-Z]{3}-\d{4}$",
            r"^(GET|POST)$",
            r"^\w+@\w+\.com$",
            "x",
            r"^[^a-z\s]+$",
            r"^(ab?)\1*$",
            r"^.{5,}$",
        ]
    ),
)
NUMBERS = st.builds(
    lambda kind, rest, multiple: {"type": kind, **rest, **multiple},
    st.sampled_from(["integer", "number"]),
    bounds("minimum", "maximum", -50, 50),
    st.sampled_from([{}, {"multipleOf": 1}, {"multipleOf": 0.5}]),
) | st.sampled_from(
    [
        {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 0.001},
        {"type": "integer", "exclusiveMinimum": 6, "exclusiveMaximum": 8},
        {"type": "integer", "multipleOf": 1000},
        {"type": "number", "multipleOf": 0.1},
        {"minimum": 1e12},
        {"maximum": -7},
    ]
)
LEAVES = (
    STRINGS
    | NUMBERS
    | st.sampled_from(
        [
            True,
            {},
            {"type": "boolean"},
            {"type": "null"},
            {"type": ["string", "null"]},
            {"enum": [1, "two", None, {"three": 3}]},
            {"const": [False]},
            {"type": "string", "enum": ["a", 1]},
            {"type": "string", "examples": ["Paris", 5], "default": "Rome"},
            {"not": {"type": "string"}, "type": ["string", "integer"]},
        ]
    )
)


def arrays(items: st.SearchStrategy[Any]) -> st.SearchStrategy[Schema]:
    plain = st.builds(
        lambda each, rest: {"type": "array", "items": each, **rest},
        items,
        bounds("minItems", "maxItems", 0, 4),
    )
    tuples = st.builds(
        lambda prefix, least: {"type": "array", "prefixItems": prefix, "minItems": least},
        st.lists(items, min_size=1, max_size=3),
        st.integers(0, 4),
    )
    unique = st.just({"type": "array", "items": {"type": "integer"}, "uniqueItems": True, "minItems": 5})
    contains = st.builds(lambda some: {"type": "array", "contains": some}, items)
    return plain | tuples | unique | contains


def objects(members: st.SearchStrategy[Any]) -> st.SearchStrategy[Schema]:
    def build(properties: Mapping[str, Any], required: list[str], more: Any) -> Schema:
        known = {
            "type": "object",
            "properties": properties,
            "required": sorted(set(required) & set(properties)),
        }
        return known if more is None else {**known, "additionalProperties": more}

    return st.builds(
        build,
        st.dictionaries(NAMES, members, max_size=4),
        st.lists(NAMES),
        st.none() | st.booleans() | members,
    ) | st.builds(
        lambda member: {
            "type": "object",
            "additionalProperties": member,
            "minProperties": 2,
            "maxProperties": 3,
        },
        members,
    )


def combined(parts: st.SearchStrategy[Any]) -> st.SearchStrategy[Schema]:
    any_of = st.builds(lambda few: {"anyOf": few}, st.lists(parts, min_size=1, max_size=3))
    nullable = st.builds(lambda part: {"anyOf": [part, {"type": "null"}]}, parts)
    all_of = st.builds(lambda part: {"allOf": [part, part], "description": "twice"}, parts)
    return any_of | nullable | all_of | st.just({"$ref": "#/$defs/shared"})


PARTS = st.recursive(LEAVES, lambda parts: arrays(parts) | objects(parts) | combined(parts), max_leaves=8)
SCHEMAS = st.builds(lambda part, shared: {"allOf": [part], "$defs": {"shared": shared}}, PARTS, LEAVES)


@unhurried
@given(SCHEMAS, SEEDS)
def test_an_instance_is_valid(schema: Schema, seed: int) -> None:
    assert_valid(schema, seed)


@unhurried
@given(SEEDS)
def test_equal_seeds_give_equal_instances(seed: int) -> None:
    assert assert_valid(WEATHER, seed) == assert_valid(WEATHER, seed)


def test_seeds_differ() -> None:
    assert len({json.dumps(assert_valid(WEATHER, seed)) for seed in range(20)}) > 5


def test_members_come_in_the_order_of_the_properties() -> None:
    assert list(assert_valid(WEATHER)) == ["city", "days", "unit"]


TREE: Schema = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "children": {"type": "array", "items": {"$ref": "#"}}},
    "required": ["name", "children"],
}
COMBINATIONS: dict[str, Schema] = {
    "a tree": TREE,
    "a list as nodes": {
        "type": "object",
        "properties": {"next": {"anyOf": [{"type": "null"}, {"$ref": "#"}]}},
    },
    "definitions of older drafts": {"$ref": "#/definitions/a~1b", "definitions": {"a/b": {"const": 1}}},
    "exactly one": {"oneOf": [{"type": "integer", "multipleOf": 2}, {"type": "integer", "multipleOf": 3}]},
    "what one leaves to the other": {"allOf": [{"enum": [1, 2, 3]}, {"enum": [3, 4]}, {"type": "integer"}]},
    "bounds from both sides": {"type": "integer", "allOf": [{"minimum": 5}, {"maximum": 5}]},
    "a number that is whole": {"allOf": [{"type": "number"}, {"type": ["integer", "string"]}]},
    "a condition": {
        "type": "object",
        "properties": {"kind": {"enum": ["card", "cash"]}},
        "required": ["kind"],
        "if": {"properties": {"kind": {"const": "card"}}},
        "then": {"properties": {"number": {"pattern": r"^\d{4}$"}}, "required": ["number"]},
        "else": {"properties": {"change": {"type": "boolean"}}, "required": ["change"]},
    },
    "members that need others": {
        "type": "object",
        "properties": {"a": {}, "b": {"type": "integer"}},
        "required": ["a"],
        "dependentRequired": {"a": ["b"], "b": ["c"]},
    },
    "needs from two sides": {
        "allOf": [{"dependentRequired": {"a": ["b"]}}, {"dependentRequired": {"a": ["c"], "d": ["e"]}}],
        "type": "object",
        "required": ["a"],
    },
    "equal documents": {"const": {"a": [1, {"b": None}]}, "enum": [0, {"a": [1.0, {"b": None}]}]},
    "multiples of both": {"allOf": [{"multipleOf": 4}, {"multipleOf": 6}], "type": "integer", "minimum": 1},
    "members by pattern": {
        "type": "object",
        "patternProperties": {"^x-[a-z]{3}$": {"type": "integer"}},
        "additionalProperties": False,
        "minProperties": 2,
    },
    "names by pattern": {"type": "object", "propertyNames": {"pattern": "^[A-Z]{2}$"}, "minProperties": 2},
    "some of them": {
        "type": "array",
        "contains": {"const": 7},
        "minContains": 2,
        "items": {"type": "integer"},
    },
    "an optional member that nothing satisfies": {
        "type": "object",
        "properties": {"never": False, "ever": {"type": "string"}},
        "required": ["ever"],
    },
    "an optional item that nothing satisfies": {"type": "array", "items": False},
    "a default that is wrong": {"type": "integer", "default": "none"},
    "a long pattern": {"type": "string", "pattern": "^[a-z]+$", "minLength": 25, "maxLength": 25},
    "a pattern somewhere": {"type": "string", "pattern": "[0-9]", "minLength": 30},
    "a word between quotes": {"type": "string", "pattern": r'^"[^"\\d]{2,4}"[^x](?>a|b)[-_.]\W$'},
    "looking ahead": {"type": "string", "pattern": "^(?=a)[ab]c$"},
}


@pytest.mark.parametrize("schema", COMBINATIONS.values(), ids=COMBINATIONS)
def test_combinations(schema: Schema) -> None:
    for seed in range(20):
        assert_valid(schema, seed)


def test_the_examples_of_a_schema_come_first() -> None:
    schema = {
        "type": "object",
        "properties": {"city": {"type": "string", "examples": [5, "Paris"]}},
        "required": ["city"],
    }
    assert assert_valid(schema) == {"city": "Paris"}


IMPOSSIBLE: dict[str, tuple[Any, str]] = {
    "nothing": (False, "nothing satisfies"),
    "no value": ({"enum": []}, "nothing satisfies"),
    "no length": ({"type": "string", "minLength": 2, "maxLength": 1}, "at least 2 and at most 1"),
    "no room": ({"type": "integer", "minimum": 2, "maximum": 1}, "bounds"),
    "a member that is forbidden": (
        {"type": "object", "required": ["a"], "additionalProperties": False},
        "nothing satisfies",
    ),
    "too few kinds": (
        {"type": "array", "items": {"type": "boolean"}, "uniqueItems": True, "minItems": 3},
        "different items",
    ),
    "no end": (
        {"type": "object", "properties": {"self": {"$ref": "#"}}, "required": ["self"]},
        "without end",
    ),
    "a circle": ({"$ref": "#"}, "without end"),
    "a far reference": ({"$ref": "https://example.com/schema"}, "not a path within the schema"),
    "a lost reference": ({"$ref": "#/$defs/none"}, "leads nowhere"),
    "a bad pattern": ({"type": "string", "pattern": "("}, "the pattern"),
    "a pattern against itself": ({"type": "string", "pattern": "^a$", "minLength": 9}, "no string was found"),
    "multiples of nothing": ({"type": "integer", "multipleOf": 0}, "not above 0"),
    "an unknown type": ({"type": "decimal"}, "the type 'decimal'"),
    "an unknown keyword": ({"type": "object", "unevaluatedProperties": False}, "unevaluatedProperties"),
    "draft 4": ({"type": "integer", "minimum": 1, "exclusiveMinimum": True}, "draft 4"),
    "no schema": ({"type": "object", "properties": 5}, "no JSON Schema"),
    "too much work": (
        {"allOf": [{"anyOf": [{"type": "integer"}] * 9}] * 9, "not": {"type": "integer"}},
        "reasonable effort",
    ),
}


@pytest.mark.parametrize(("schema", "why"), IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_what_cannot_be_made_is_said(schema: Any, why: str) -> None:
    with pytest.raises(UnsupportedSchema, match="instance") as caught:
        instance(schema, Random(0))
    assert why in str(caught.value)
