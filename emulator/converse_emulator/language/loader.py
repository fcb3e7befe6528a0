"""Scenarios from YAML files and from Python data, by one grammar.

Every mistake of a document is told, each as `file:line:column: what is wrong; allowed: ...`. YAML is read by
its 1.2 core schema (`no` and `12:30` are strings), without tags and aliases, and only so large and so deep.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast

from converse_emulator.errors import Mistake, ScenarioError
from converse_emulator.language.documents import ARMED, FILE, REPLY
from converse_emulator.language.forms import Form, Gather
from converse_emulator.language.nodes import (
    MAX_DEPTH,
    Atom,
    Items,
    Members,
    Node,
    Scalar,
    atom,
    from_python,
    shown,
)
from converse_emulator.language.scenario import Reply, Scenario

if TYPE_CHECKING:
    import yaml

T = TypeVar("T")

MAX_BYTES = 1_048_576  # of a file


def load_file(path: str | Path, name: str | None = None) -> Scenario:
    """The scenario of a file, called `name` or as the file is; raises `ScenarioError`."""
    return replace(read_file(FILE, path), name=name or Path(path).stem)


def load_bytes(raw: bytes, *, name: str, source: str) -> Scenario:
    """The scenario of a file's bytes, which are UTF-8; `source` is what errors call the file."""
    return load_text(_decoded(raw, source), name=name, source=source)


def load_text(text: str, *, name: str, source: str) -> Scenario:
    """The scenario of a YAML text; `source` is what errors call it."""
    return replace(read_text(FILE, text, source), name=name)


def read_file(form: Form[T], path: str | Path) -> T:
    """What `form` makes of a YAML file; raises `ScenarioError`."""
    try:
        with Path(path).open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ScenarioError([Mistake(str(path), f"cannot be read: {error.strerror}")]) from error
    return read_text(form, _decoded(raw, str(path)), str(path))


def read_text(form: Form[T], text: str, source: str) -> T:
    """What `form` makes of a YAML text; `source` is what errors call it."""
    gather = Gather()
    document = _Document(source, gather)
    value = gather.read(form, document.read(text))
    gather.settle()
    return cast("T", value)


def _decoded(raw: bytes, source: str) -> str:
    if len(raw) > MAX_BYTES:
        raise ScenarioError([Mistake(source, f"more than {MAX_BYTES} bytes")])
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8", "replace")
        raise ScenarioError([Mistake(_place(source, before), "not UTF-8")]) from error


def reply_from(value: object, where: str = "play()") -> Reply:
    """A reply from Python data: a string or a list of steps. `where` is what errors call it."""
    return REPLY.read(from_python(value, where))


def scenario_from(value: object, name: str, where: str = "play()") -> Scenario:
    """A scenario from Python data: a reply, or a mapping as in a file, title and handlers not needed."""
    return replace(ARMED.read(from_python(value, where)), name=name)


class _Document:
    """Reads the one document of a YAML text. Mistakes that leave the rest readable are noted."""

    def __init__(self, source: str, mistakes: Gather) -> None:
        self._source = source
        self._mistakes = mistakes

    def read(self, text: str) -> Node:
        """The document's nodes; raises `ScenarioError` where the text is no YAML."""
        import yaml

        if strange := yaml.reader.Reader.NON_PRINTABLE.search(text):
            place = _place(self._source, text[: strange.start()])
            raise ScenarioError(
                [Mistake(place, f"the character U+{ord(strange.group()):04X} is not allowed in YAML")]
            )
        try:
            return self._document(yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            place = f"{self._source}:{mark.line + 1}:{mark.column + 1}" if mark else self._source
            what = ", ".join(part for part in (error.context, error.problem) if part)
            raise ScenarioError([Mistake(place, f"not YAML: {what}")]) from error

    def _document(self, events: "Iterator[yaml.Event]") -> Node:
        import yaml

        kinds = (yaml.StreamStartEvent, yaml.DocumentStartEvent, yaml.DocumentEndEvent, yaml.StreamEndEvent)
        contents = (event for event in events if not isinstance(event, kinds))
        first = next(contents, None)
        if first is None:
            raise ScenarioError([Mistake(f"{self._source}:1:1", "the file is empty")])
        node = self._node(first, contents, 0)
        for event in contents:
            raise self._error(event, "a second document", "one document in a file")
        return node

    def _node(self, event: "yaml.Event", events: "Iterator[yaml.Event]", depth: int) -> Node:
        import yaml

        if depth > MAX_DEPTH:
            raise self._error(event, f"nested more than {MAX_DEPTH} levels deep")
        match event:
            case yaml.AliasEvent():
                raise self._error(event, "an alias", "the value itself")
            case yaml.ScalarEvent():
                node: Node = self._scalar(event)
            case yaml.SequenceStartEvent():
                place, nodes = self._place(event), []
                while not isinstance(item := next(events), yaml.SequenceEndEvent):
                    nodes.append(self._node(item, events, depth + 1))
                node = Items(tuple(nodes), place)
            case yaml.MappingStartEvent():
                node = self._mapping(event, events, depth)
            case _:
                raise AssertionError(f"no YAML event begins a value with {event}")
        if event.tag is not None:
            self._mistakes.add(
                self._place(event), f"the tag {event.tag!r}", "no tags; a string goes into quotes"
            )
        return node

    def _mapping(
        self, event: "yaml.MappingStartEvent", events: "Iterator[yaml.Event]", depth: int
    ) -> Members:
        import yaml

        nodes: dict[str, Node] = {}
        places: dict[str, str] = {}
        while not isinstance(key_event := next(events), yaml.MappingEndEvent):
            key = self._node(key_event, events, depth + 1)
            node = self._node(next(events), events, depth + 1)
            if not (isinstance(key, Scalar) and isinstance(key.value, str)):
                self._mistakes.add(key.place, f"{shown(key)} is no name", "a string; quotes make one")
            elif key.value in nodes:
                self._mistakes.add(key.place, f"{key.value!r} stands twice in this mapping", "each name once")
            else:
                nodes[key.value], places[key.value] = node, key.place
        return Members(nodes, self._place(event), places)

    def _scalar(self, event: "yaml.ScalarEvent") -> Scalar:
        return atom(without_quotes(event.value) if event.implicit[0] else event.value, self._place(event))

    def _place(self, event: "yaml.Event") -> str:
        mark = event.start_mark
        return f"{self._source}:{mark.line + 1}:{mark.column + 1}" if mark else self._source

    def _error(self, event: "yaml.Event", what: str, allowed: str = "") -> ScenarioError:
        return ScenarioError([Mistake(self._place(event), what, allowed)])


_WORDS: Mapping[str, Atom] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
}


def without_quotes(text: str) -> Atom:
    """What a scalar without quotes is, by the core schema of YAML 1.2."""
    if text in _WORDS:
        return _WORDS[text]
    if re.fullmatch(r"[-+]?[0-9]+", text):
        return int(text) if len(text) <= 20 else float("inf")
    if found := re.fullmatch(r"0(o[0-7]{1,30}|x[0-9a-fA-F]{1,30})", text):
        return int(found.group(), 0)
    if re.fullmatch(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", text):
        return float(text)
    return text


def _place(source: str, before: str) -> str:
    """Where the text after `before` begins."""
    lines = before.split("\n")
    return f"{source}:{len(lines)}:{len(lines[-1]) + 1}"
