"""The constraints of a service model's shapes, compiled once into closures that judge JSON.

A shape is a dict as botocore's `service-2.json` has it (`type`, `members`, `required`, `min`, `max`,
`pattern`, `enum`, `union`, `document`). `Checks(shapes)["ConverseRequest"]` is a function of a JSON value
that returns what is wrong with it: complete, in the order of the model, empty for a valid value. A valid
value costs no string work: paths are put together only on the way back from a violation.

`null` counts as absent. Known from reports about real Bedrock are the texts for null, length, range, pattern
and enum, and that values inside content blocks are not printed. Inferred are what is said of a union, of an
unknown member (the service may well ignore it) and of a map, and the order of several violations.
"""

import threading
from collections.abc import Mapping, Sequence

from converse_emulator.shapes.patterns import Untranslatable
from converse_emulator.shapes.scalars import SCALARS, Check, Shape, length_problem
from converse_emulator.shapes.violations import (
    MISSING,
    VALID,
    Json,
    Violation,
    mistyped,
    shown,
    unprinted,
    within,
)

# Shapes whose values the service never prints although its model does not mark them sensitive.
_UNPRINTED = {"ContentBlock"}


class Checks:
    """The checks of a model's shapes, each compiled when first asked for.

    `skipped` says of which shapes the pattern is not checked, and why. Several threads may share them.
    """

    def __init__(self, shapes: Mapping[str, Shape]) -> None:
        self.skipped: dict[str, str] = {}
        self._shapes = shapes
        self._compiled: dict[str, Check] = {}
        self._lock = threading.RLock()

    def __getitem__(self, name: str) -> Check:
        with self._lock:  # no other thread may take the stand-in for a check
            if name not in self._compiled:
                # A shape that contains itself meets this stand-in while it is being compiled.
                self._compiled[name] = lambda value: self._compiled[name](value)
                self._compiled[name] = self._compile(name, self._shapes[name])
            return self._compiled[name]

    def _compile(self, name: str, shape: Shape) -> Check:
        check = self._container(shape) or self._scalar(name, shape)
        return _unprinted(check) if name in _UNPRINTED or shape.get("sensitive") else check

    def _container(self, shape: Shape) -> Check | None:
        match shape["type"]:
            case "structure" if shape.get("document"):
                return _document
            case "structure":
                members = {key: self[member["shape"]] for key, member in shape["members"].items()}
                if shape.get("union"):
                    return _union(members)
                return _structure(members, shape.get("required", ()))
            case "list":
                return _list(self[shape["member"]["shape"]], shape)
            case "map":
                return _map(self[shape["key"]["shape"]], self[shape["value"]["shape"]], shape)
            case _:
                return None

    def _scalar(self, name: str, shape: Shape) -> Check:
        make = SCALARS.get(shape["type"])
        if make is None:  # a type that only a newer model has
            return _document
        try:
            return make(shape)
        except Untranslatable as error:
            self.skipped[name] = str(error)
            return make({key: trait for key, trait in shape.items() if key != "pattern"})


def _document(value: Json) -> Sequence[Violation]:  # noqa: ARG001  any JSON is a document
    return VALID


def _unprinted(check: Check) -> Check:
    def discreet(value: Json) -> Sequence[Violation]:
        found = check(value)
        return unprinted(found) if found else VALID

    return discreet


def _structure(members: Mapping[str, Check], required: Sequence[str]) -> Check:
    unknown = [Violation(f"Member is not in the service model; allowed are [{', '.join(members)}]")]
    find = members.get

    def check(value: Json) -> Sequence[Violation]:
        if type(value) is not dict:
            return [mistyped(value, "structure")]
        wrong: dict[str, Sequence[Violation]] = {}
        for key, member in value.items():
            if member is not None:
                judge = find(key)
                if found := unknown if judge is None else judge(member):
                    wrong[key] = found
        for key in required:
            if value.get(key) is None:
                wrong[key] = [MISSING]
        return _in_order(wrong, members) if wrong else VALID

    return check


def _in_order(wrong: Mapping[str, Sequence[Violation]], members: Mapping[str, Check]) -> list[Violation]:
    """All violations, by the model's order of members, then the unknown ones by name."""
    names = [*(key for key in members if key in wrong), *sorted(wrong.keys() - members.keys(), key=str)]
    return [violation for key in names for violation in within(key, wrong[key])]


def _union(members: Mapping[str, Check]) -> Check:
    constraint = f"Member must have exactly one of [{', '.join(members)}]; found "
    structure = _structure(members, required=())
    find = members.get

    def check(value: Json) -> Sequence[Violation]:
        if type(value) is dict and len(value) == 1:
            [(key, member)] = value.items()
            judge = find(key)
            if judge is not None and member is not None:
                found = judge(member)
                return within(key, found) if found else VALID
        found = structure(value)
        if found:
            return found
        present = [key for key, member in value.items() if member is not None]
        if len(present) == 1:
            return VALID
        return [Violation(constraint + (" and ".join(present) or "none"))]

    return check


def _list(check_item: Check, shape: Shape) -> Check:
    def check(value: Json) -> Sequence[Violation]:
        if type(value) is not list:
            return [mistyped(value, "list")]
        what = length_problem(len(value), shape)
        found = [Violation(what, shown(value))] if what else []
        for number, item in enumerate(value, 1):
            if wrong := (MISSING,) if item is None else check_item(item):
                found += within(f"{number}.member", wrong)
        return found

    return check


def _map(check_key: Check, check_value: Check, shape: Shape) -> Check:
    def check(value: Json) -> Sequence[Violation]:
        if type(value) is not dict:
            return [mistyped(value, "map")]
        what = length_problem(len(value), shape)
        found = [Violation(what)] if what else []
        for key in sorted(value, key=str):
            if wrong_key := check_key(key):
                constraints = ", ".join(each.constraint for each in wrong_key)
                found.append(Violation(f"Map keys must satisfy constraint: [{constraints}]", f"'{key}'"))
            if wrong := (MISSING,) if value[key] is None else check_value(value[key]):
                found += within(key, wrong)
        return found

    return check
