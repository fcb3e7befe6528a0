"""Every constraint of the service model, broken alone: the refusal names the member that breaks it.

The shapes of all inputs are walked. Each place in them is reached by a valid request that is as small as it
can be, and there each constraint of the place's shape is broken.
"""

import json
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from http.client import HTTPConnection
from typing import Any
from urllib.parse import quote

import hypothesis
import pytest
from converse_emulator import Emulator
from converse_emulator.shapes import service
from converse_emulator.shapes.patterns import translate
from hypothesis import strategies as st

SHAPES: dict[str, Any] = dict(service.model()["shapes"])
MODEL = "amazon.nova-lite-v1:0"
LARGEST = 100_000  # of what is made: some lengths are limited to many megabytes
WRONG_TYPES: list[Any] = ["text", 5, 1.5, True, [], {}]
FITTING: dict[str, Any] = {
    "structure": dict,
    "list": list,
    "map": dict,
    "string": str,
    "blob": str,
    "boolean": bool,
    "integer": int,
    "long": int,
    "float": (int, float),
    "double": (int, float),
    "timestamp": (int, float),
}


@dataclass(frozen=True)
class Place:
    """A place in an operation's input: `request` puts a value there, `path` is how a violation names it."""

    shape: str
    path: str
    request: Callable[[Any], dict[str, Any]]


@dataclass(frozen=True)
class Broken:
    """A request that breaks one constraint."""

    what: str
    path: str
    body: dict[str, Any]


# ------------------------------------------------------------------------------------------ valid values


@cache
def smallest(name: str) -> Any:
    """A valid value of a shape, as small as it can be."""
    shape = SHAPES[name]
    least = shape.get("min", 0)
    match shape["type"]:
        case "structure" if shape.get("document"):
            return {}
        case "structure" if shape.get("union"):
            return min(
                (
                    {key: smallest(member["shape"])}
                    for key, member in shape["members"].items()
                    if _ends(member)
                ),
                key=lambda value: len(json.dumps(value)),
            )
        case "structure":
            return {key: smallest(shape["members"][key]["shape"]) for key in shape.get("required", ())}
        case "list":
            return [smallest(shape["member"]["shape"]) for _ in range(least)]
        case "map":
            pairs = [
                (smallest(shape["key"]["shape"]), smallest(shape["value"]["shape"])) for _ in range(least)
            ]
            return dict(pairs)
        case "string" if "enum" in shape:
            return shape["enum"][0]
        case "string" if "pattern" in shape:
            return matching(shape["pattern"], least, shape.get("max", LARGEST))
        case "string":
            return "a" * least
        case "integer" | "long" | "float" | "double" | "timestamp":
            return least
        case "boolean":
            return False
        case "blob":
            return b64encode(bytes(least)).decode()
        case kind:
            raise AssertionError(f"no value for {kind}")


def _ends(member: dict[str, Any]) -> bool:
    """Whether a union's member can be built without the union: else its smallest value has no end."""
    return member["shape"] not in {"ToolResultBlock", "GuardrailConverseContentBlock", "SystemTool"}


@cache
def matching(pattern: str, least: int, most: int) -> str:
    """A string that a pattern matches."""
    expression = st.from_regex(translate(pattern), fullmatch=True, alphabet=st.characters(codec="ascii"))
    quick = hypothesis.settings(database=None, derandomize=True, phases=[hypothesis.Phase.generate])
    return hypothesis.find(expression, lambda text: max(1, least) <= len(text) <= most, settings=quick)


def key_of(shape: dict[str, Any]) -> str:
    """A valid key of a map."""
    return smallest(shape["key"]["shape"]) or "a"


# ---------------------------------------------------------------------------------------------- places


def places(name: str, path: str, request: Callable[[Any], Any], above: tuple[str, ...]) -> Iterator[Place]:
    """The place of a shape, and all places in it. A shape within itself is not entered again."""
    shape = SHAPES[name]
    if path:
        yield Place(name, path, request)
    if name in above or shape.get("document"):
        return
    inner = (*above, name)
    match shape["type"]:
        case "structure":
            base = {} if shape.get("union") else smallest(name)
            for key, member in shape["members"].items():
                if "location" not in member:
                    yield from places(
                        member["shape"],
                        f"{path}.{key}" if path else key,
                        within(request, base, key),
                        inner,
                    )
        case "list":
            item = shape["member"]["shape"]
            more = [smallest(item)] * max(0, shape.get("min", 0) - 1)
            yield from places(item, f"{path}.1.member", lambda value: request([value, *more]), inner)
        case "map":
            key = key_of(shape)
            yield from places(
                shape["value"]["shape"], f"{path}.{key}", lambda value: request({key: value}), inner
            )


def within(request: Callable[[Any], Any], base: dict[str, Any], key: str) -> Callable[[Any], Any]:
    """The same request with a value for a member of what stood there."""
    return lambda value: request({**base, key: value})


def places_of(operation: str) -> list[Place]:
    name = service.operations()[operation].input
    base = smallest(name)
    located = {key for key, member in SHAPES[name]["members"].items() if "location" in member}

    def request(value: dict[str, Any]) -> dict[str, Any]:
        return {key: item for key, item in {**base, **value}.items() if key not in located}

    return list(places(name, "", request, ()))


# --------------------------------------------------------------------------------- constraints, broken


def broken(place: Place) -> Iterator[Broken]:
    """The requests that break one constraint of a place."""
    shape = SHAPES[place.shape]
    if shape.get("document"):
        return
    fitting = FITTING[shape["type"]]
    for value in WRONG_TYPES:
        if not isinstance(value, fitting) or (isinstance(value, bool) and shape["type"] != "boolean"):
            yield Broken(f"type {type(value).__name__}", place.path, place.request(value))
    for what, value, step in _wrong_values(place.shape, shape):
        yield Broken(what, f"{place.path}{step}", place.request(value))


def _wrong_values(name: str, shape: dict[str, Any]) -> Iterator[tuple[str, Any, str]]:
    """What is broken, the value, and the step from the place to the member that is named."""
    least, most = shape.get("min"), shape.get("max")
    valid = smallest(name)
    match shape["type"]:
        case "structure":
            yield "unknown member", {**valid, "unknownMember": 1}, ".unknownMember"
            if shape.get("union"):
                yield "empty union", {}, ""
                others = [key for key in shape["members"] if key not in valid]
                for key in others[:1]:
                    yield "two of a union", {**valid, key: smallest(shape["members"][key]["shape"])}, ""
            for key in shape.get("required", ()):
                yield "missing", {other: item for other, item in valid.items() if other != key}, f".{key}"
                yield "null", {**valid, key: None}, f".{key}"
        case "list":
            item = smallest(shape["member"]["shape"])
            yield "null item", [None] * max(1, least or 0), ".1.member"
            if least:
                yield "too few", [item] * (least - 1), ""
            if most is not None and most < LARGEST:
                yield "too many", [item] * (most + 1), ""
        case "map":
            key, item = key_of(shape), smallest(shape["value"]["shape"])
            yield "null value", {key: None}, f".{key}"
            if least:
                yield "too few", {}, ""
            if most is not None and most < LARGEST:
                yield "too many", {f"{key}{number}": item for number in range(most + 1)}, ""
        case "string" if "enum" in shape:
            yield "enum", f"{shape['enum'][0]}x", ""
        case "string":
            if least:
                yield "too short", valid[: least - 1], ""
            if most is not None and most < LARGEST:
                yield "too long", (valid or "a") * (most // len(valid or "a") + 1), ""
            if "pattern" in shape and (misfit := _misfit(shape)) is not None:
                yield "pattern", misfit, ""
        case "blob":
            yield "no base64", "*", ""
            if least:
                yield "too short", b64encode(bytes(least - 1)).decode(), ""
            if most is not None and most < LARGEST:
                yield "too long", b64encode(bytes(most + 1)).decode(), ""
        case "integer" | "long" | "float" | "double":
            if least is not None:
                yield "too small", least - 1, ""
            if most is not None:
                yield "too large", most + 1, ""


def _misfit(shape: dict[str, Any]) -> str | None:
    """A string of a right length that the pattern does not match, if there is one."""
    least, most = shape.get("min", 0), shape.get("max", LARGEST)
    pattern = translate(shape["pattern"])
    candidates = [sign * max(1, least) for sign in ("\0", "!", "é", " ", "/", "a", "\n")]
    return next((each for each in candidates if len(each) <= most and not pattern.fullmatch(each)), None)


# ----------------------------------------------------------------------------------------------- tests

JUDGED = ["Converse", "ConverseStream", "ApplyGuardrail", "CountTokens", "StartAsyncInvoke"]


@pytest.mark.parametrize("operation", JUDGED)
def test_every_place_can_be_reached_by_a_valid_request(operation: str) -> None:
    found = places_of(operation)
    assert found
    for place in found:
        assert _said(operation, place.request(smallest(place.shape))) == [], place.path


@pytest.mark.parametrize("operation", JUDGED)
def test_a_broken_constraint_is_told_with_the_member_that_breaks_it(operation: str) -> None:
    tried = Counter[str]()
    for place in places_of(operation):
        for each in broken(place):
            tried[each.what.partition(" ")[0]] += 1
            said = _said(operation, each.body)
            assert any(f"at '{each.path}' " in text for text in said), (each, said)
            # and nothing is said of any other member
            assert all(f"at '{each.path}" in text for text in said), (each, said)
    assert tried["type"] > 10
    assert len(tried) > 3, tried


def _said(operation: str, body: dict[str, Any]) -> list[str]:
    described = service.operations()[operation]
    located = {
        key: smallest(member["shape"])
        for key, member in SHAPES[described.input]["members"].items()
        if "location" in member
    }
    return service.input_violations(described, {**located, **body})


def test_over_the_wire_a_broken_constraint_is_a_validation_exception_that_names_the_member() -> None:
    requests = [each for place in places_of("Converse") for each in broken(place)]
    with Emulator() as emulator, closing(_connection(emulator)) as connection:
        for each in requests:
            connection.request("POST", f"/model/{quote(MODEL, safe='')}/converse", json.dumps(each.body))
            response = connection.getresponse()
            message = json.loads(response.read())["message"]
            assert response.status == 400, each
            assert str(response.getheader("x-amzn-ErrorType")).startswith("ValidationException:")
            assert f"at '{each.path}' failed to satisfy constraint: " in message, (each, message)
    assert len(requests) > 1000


def _connection(emulator: Emulator) -> HTTPConnection:
    return HTTPConnection(emulator.endpoint_url.removeprefix("http://"), timeout=30)
