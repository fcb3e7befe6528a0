"""Laws of the scenario language: grammar, loader and schema agree, retries walk slots, sessions never mix."""

import json
import re
from collections.abc import Sequence
from typing import Any, cast

import pytest
from converse_emulator.choosing.request import Request
from converse_emulator.choosing.selection import Selector
from converse_emulator.choosing.turns import is_fault, slots
from converse_emulator.errors import Miss, ScenarioError, UnknownScenario
from converse_emulator.language import arguments
from converse_emulator.language.documents import FILE
from converse_emulator.language.forms import Form, Made, OneOf, Value, Word
from converse_emulator.language.grammar import MODIFIERS, STEPS
from converse_emulator.language.library import Library
from converse_emulator.language.loader import load_text, reply_from, scenario_from
from converse_emulator.language.records import Anything, ListOf, MapOf, Record
from converse_emulator.language.rules import Applied
from converse_emulator.language.scenario import Json, Reply, Scenario, Text
from converse_emulator.language.schema import json_schema
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

VALIDATOR = Draft202012Validator(json_schema())
law = settings(deadline=None, max_examples=50)

# ------------------------------------------------------------------ documents, generated from the grammar

# What one line of YAML in double quotes can hold as it is.
TEXTS = st.text(
    st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp", "Cn"), exclude_characters="\ufeff"), max_size=8
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(-1e6, 1e6) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=4,
)
EVENTS: Sequence[Json] = [
    {"messageStart": {"role": "assistant"}},
    {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": "Hi"}}},
    {"messageStop": {"stopReason": "end_turn"}},
]


# Free mappings that the service model judges.
METADATA: Sequence[Json] = [{}, {"metrics": {"latencyMs": 3}}, {"performanceConfig": {"latency": "standard"}}]
CITATIONS: Sequence[Json] = [{}, {"title": "T", "location": {"web": {"url": "https://example.com"}}}]
USAGE: Sequence[Json] = [{}, {"inputTokens": 3}, {"cacheReadInputTokens": 1, "totalTokens": 2**31 - 1}]


def values(form: Form[Any]) -> st.SearchStrategy[Json]:
    """Values of a form. Some may break what a form says of its parts together."""
    match form:
        case Word(open=True):
            return st.sampled_from(form.words) | TEXTS.filter(bool)
        case Word():
            return st.sampled_from(form.words)
        case Value():
            return by_rule(dict(form.rule))
        case arguments.USAGE:
            return st.sampled_from(USAGE)
        case arguments.METADATA:
            return st.sampled_from(METADATA)
        case arguments.CITATION:
            return st.sampled_from(CITATIONS)
        case Made():
            return values(form.form)
        case OneOf():
            return st.one_of([values(each) for each in form.forms])
        case ListOf():
            most = form.at_least if form.exact else 3
            return st.lists(values(form.form), min_size=form.at_least, max_size=most)
        case MapOf():
            return st.dictionaries(values(form.key) if form.key else TEXTS, values(form.form), max_size=2)
        case Record():
            needed = {name: values(member.form) for name, member in form.fields.items() if member.required}
            optional = {
                name: values(member.form) for name, member in form.fields.items() if not member.required
            }
            return st.fixed_dictionaries(needed, optional=optional)
        case Anything(mapping=True):
            return st.dictionaries(TEXTS, JSON, max_size=2)
        case Anything():
            return JSON
        case arguments.EventForm():
            return st.sampled_from(EVENTS)
    return replies()


def by_rule(rule: dict[str, Json]) -> st.SearchStrategy[Json]:
    """Values of a scalar's JSON Schema."""
    match rule:
        case {"anyOf": alternatives}:
            return st.one_of([by_rule(each) for each in alternatives])
        case {"type": "string", "pattern": pattern}:
            return st.from_regex(pattern.removesuffix("$") + r"\Z", fullmatch=True)
        case {"type": "string"}:
            return TEXTS.filter(lambda text: len(text) >= rule.get("minLength", 0))
        case {"type": "integer"}:
            return st.integers(rule["minimum"], rule.get("maximum", 2**60))
    exclusive = "exclusiveMinimum" in rule
    least, most = (
        rule.get("minimum", rule.get("exclusiveMinimum")),
        rule.get("maximum", rule.get("exclusiveMaximum")),
    )
    return st.floats(least, most, exclude_min=exclusive, exclude_max=exclusive)


def steps() -> st.SearchStrategy[Json]:
    """Steps, by the table."""
    return st.one_of([step(name) for name in STEPS])


def step(name: str) -> st.SearchStrategy[Json]:
    rule = STEPS[name]
    if not isinstance(rule, Applied):
        return st.just(name)
    beside = {key: values(member.form) for key, member in MODIFIERS.items()} if rule.modified else {}
    return st.fixed_dictionaries({name: values(rule.form)}, optional=beside)


def replies() -> st.SearchStrategy[Json]:
    return TEXTS | st.lists(st.deferred(steps), max_size=4)


def taken(document: Json) -> Scenario | None:
    """What the loader makes of a document, if it takes it."""
    try:
        return load_text(json.dumps(document, ensure_ascii=False), name="x", source="file.yaml")
    except ScenarioError as error:
        places = [mistake.place for mistake in error.mistakes]
    assert places
    assert [place for place in places if not re.fullmatch(r"file\.yaml:\d+:\d+", place)] == []
    return None


@pytest.mark.parametrize("name", STEPS)
@law
@given(st.data())
def test_the_loader_takes_what_the_grammar_makes_and_the_schema_takes_it_too(
    name: str, data: st.DataObject
) -> None:
    written = data.draw(step(name))
    document = {"title": "T", "handlers": "H", "reply": [written]}
    assert VALIDATOR.is_valid(document)
    scenario = taken(document)
    assume(scenario is not None)  # what a form says of its parts together: bounds of a span, pieces of a text
    assert scenario is not None
    assert scenario.replies == (reply_from([written]),)


@law
@given(values(FILE))
def test_what_the_loader_takes_the_schema_takes(document: Json) -> None:
    assert VALIDATOR.is_valid(document)
    scenario = taken(document)
    # Only a file may have no reply but alternatives: what is armed answers one request each.
    if scenario is not None and not isinstance(document, str) and scenario.replies:
        assert scenario.replies == scenario_from(document, "x").replies


@law
@given(values(FILE), st.data())
def test_what_the_schema_refuses_the_loader_refuses(document: Json, data: st.DataObject) -> None:
    changed = mutated(document, data)
    assert VALIDATOR.is_valid(changed) or taken(changed) is None


def mutated(value: Json, data: st.DataObject) -> Json:
    """The same document with one thing in it replaced, renamed or left out."""
    if isinstance(value, dict) and value and data.draw(st.booleans()):
        name = data.draw(st.sampled_from(sorted(value)))
        rest = {key: each for key, each in value.items() if key != name}
        match data.draw(st.sampled_from(["deeper", "rename", "drop"])):
            case "deeper":
                return {**rest, name: mutated(value[name], data)}
            case "rename":
                return {**rest, name + "x": value[name]}
        return rest
    if isinstance(value, list) and value and data.draw(st.booleans()):
        at = data.draw(st.integers(0, len(value) - 1))
        return [*value[:at], mutated(value[at], data), *value[at + 1 :]]
    return data.draw(JSON | steps())


@law
@given(JSON)
def test_any_python_data_is_read_or_refused(value: Json) -> None:
    try:
        reply = reply_from(value)
    except ScenarioError as error:
        places = [mistake.place for mistake in error.mistakes]
    else:
        assert value == [] or reply == (Text(value),)
        return
    assert places
    assert [place for place in places if not place.startswith("play()")] == []


# ------------------------------------------------------------------------------- turns, queues, sessions


def scenario(kinds: Sequence[bool]) -> Scenario:
    """A scenario of faults (True) and clean replies, each telling its number."""
    written: list[Json] = [[{"text": str(i)}, *(["reset"] if fault else [])] for i, fault in enumerate(kinds)]
    return scenario_from({"replies": written}, "s")


def number(reply: Reply | None) -> int:
    assert reply is not None
    return int(cast("Text", reply[0]).text)


class Shelf(Library):
    """A library of one scenario in memory."""

    def __init__(self, only: Scenario) -> None:
        super().__init__()
        self._only = only

    def get(self, name: str) -> Scenario:
        if name != "s":
            raise UnknownScenario(name, [])
        return self._only


def ask(turn: int, session: str, name: str | None = None, prompt: str = "Hi") -> Request:
    said: list[Json] = [{"role": "user", "content": [{"text": prompt}]}]
    said += [
        {"role": role, "content": [{"text": "x"}]} for _ in range(turn) for role in ("assistant", "user")
    ]
    return Request("Converse", "m", {}, {"messages": said}, session, name)


@law
@given(st.lists(st.booleans(), min_size=1, max_size=8))
def test_slots_are_the_replies_in_order_each_ending_with_its_only_clean_one(kinds: list[bool]) -> None:
    replies = scenario(kinds).replies
    grouped = slots(replies)
    assert tuple(reply for slot in grouped for reply in slot) == replies
    assert all(is_fault(reply) for slot in grouped for reply in slot[:-1])
    assert not any(is_fault(slot[-1]) for slot in grouped[:-1])


@law
@given(st.lists(st.booleans(), min_size=1, max_size=6), st.lists(st.integers(0, 4), max_size=20))
def test_retries_walk_the_slot_of_their_turn(kinds: list[bool], turns: list[int]) -> None:
    """In whatever order turns come: the n-th request of one gets the n-th reply of its slot."""
    selector = Selector(Shelf(scenario(kinds)))
    bounds = [0, *(i + 1 for i, fault in enumerate(kinds) if not fault)]
    starts = [start for start in bounds if start < len(kinds)]
    tries: dict[int, int] = {}
    for turn in turns:
        start = starts[min(turn, len(starts) - 1)]
        rest = kinds[start:]
        clean = rest.index(False) if False in rest else None
        attempt = tries.get(turn, 0)
        tries[turn] = attempt + 1
        expected = start + (min(attempt, len(rest) - 1) if clean is None else attempt % (clean + 1))
        assert number(selector.select(ask(turn, "default", "s")).reply) == expected


@law
@given(st.lists(st.integers(1, 4), max_size=5))
def test_the_order_of_arms_is_kept_and_each_reply_comes_once(sizes: list[int]) -> None:
    selector = Selector(Library())
    for size in sizes:
        selector.arm("default", scenario([False] * size))
    expected = [i for size in sizes for i in range(size)]
    assert [number(selector.select(ask(0, "default")).reply) for _ in expected] == expected
    assert selector.unconsumed("default") == []
    if sizes:
        with pytest.raises(Miss):
            selector.select(ask(0, "default"))
    else:
        assert selector.select(ask(0, "default")).chosen_by == "automatic"


ACTIONS = st.tuples(st.sampled_from("ab"), st.sampled_from(["arm", "ask", "ask by name", "reset"]))


@law
@given(st.lists(ACTIONS, max_size=30))
def test_sessions_never_mix(actions: list[tuple[str, str]]) -> None:
    """What a session sees is what it would see alone."""
    together = Selector(Shelf(scenario([True, False])))
    seen: dict[str, list[str]] = {"a": [], "b": []}
    for session, action in actions:
        seen[session].append(outcome(together, session, action))
    for session in "ab":
        alone = Selector(Shelf(scenario([True, False])))
        assert seen[session] == [
            outcome(alone, session, action) for each, action in actions if each == session
        ]


def outcome(selector: Selector, session: str, action: str) -> str:
    match action:
        case "arm":
            selector.arm(session, scenario([False, False]))
            return "armed"
        case "reset":
            selector.reset(session)
            return "reset"
    try:
        chosen = selector.select(ask(0, session, "s" if action == "ask by name" else None))
    except Miss as miss:
        return f"{miss} {selector.misses(session)}"
    return f"{chosen.reply} {chosen.chosen_by} {chosen.number} {selector.unconsumed(session)}"
