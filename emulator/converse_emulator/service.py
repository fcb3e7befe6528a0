"""The service model of `bedrock-runtime`, read from the installed botocore: operations, shapes, exceptions.

Nothing of it is copied here, so a newer botocore brings new members by itself. Only botocore's data file is
read: importing botocore would cost a quarter of a second. Everything is read on first use and remembered.
"""

import gzip
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote

from converse_emulator.constraints import Checks
from converse_emulator.errors import EmulatorError
from converse_emulator.scalars import Shape
from converse_emulator.violations import Json, Violation, mistyped, within

SERVICE = "bedrock-runtime"
STREAMING = "ConverseStream"

# What real Bedrock sends in a stream although the model does not list it; see `event_violations`.
_SENT_UNMODELLED: Mapping[str, Mapping[str, Shape]] = {
    "TokenUsage": {
        "serverToolUsage": {"type": "structure", "document": True},
        "cacheReadInputTokenCount": {"type": "integer", "min": 0},
        "cacheWriteInputTokenCount": {"type": "integer", "min": 0},
    },
    "ToolUseBlockStart": {"type": {"type": "string"}},
}


class ServiceModelError(EmulatorError):
    """The installed botocore has no model of the service, or one too old for `ConverseStream`."""


class UnknownPath(EmulatorError, ValueError):
    """A path of no operation. `allowed` are the operations' paths."""

    def __init__(self, path: str, allowed: Sequence[str]) -> None:
        super().__init__(
            f"no operation has the path {path!r}; the operations' paths are {', '.join(allowed)}"
        )
        self.allowed = allowed


class WrongMethod(EmulatorError, ValueError):
    """A path of an operation with another method. `allowed` are the methods it takes."""

    def __init__(self, method: str, path: str, allowed: Sequence[str]) -> None:
        super().__init__(f"{method} is not allowed for {path!r}; allowed is {', '.join(allowed)}")
        self.allowed = allowed


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation of the model. `uri` has labels in braces, `/model/{modelId}/converse`."""

    name: str
    method: str
    uri: str
    input: str  # the name of a shape
    exceptions: tuple[str, ...]


def find_operation(method: str, raw_path: str) -> tuple[Operation, str]:
    """The operation of a request, and its model id, decoded (empty for operations without one).

    `raw_path` is percent-encoded as the client sent it. A slash of an ARN may be raw or `%2F`, a colon raw or
    `%3A`: a label takes everything up to the operation's next fixed part.
    """
    path = raw_path.partition("?")[0]
    matches = [(operation, found) for operation, route in _routes() if (found := route.fullmatch(path))]
    for operation, found in matches:
        if operation.method == method:
            return operation, unquote(found.groupdict().get("modelId", ""))
    if matches:
        raise WrongMethod(method, path, sorted({operation.method for operation, _ in matches}))
    raise UnknownPath(path, sorted({operation.uri for operation, _ in _routes()}))


def violations(operation: str, model_id: str, body: Json) -> list[str]:
    """What is wrong with a request, each text naming the member; `violations.summary` joins them."""
    if not isinstance(body, dict):
        return [str(each) for each in within("body", [mistyped(body, "structure")])]
    found = _checks()[operations()[operation].input]({**body, "modelId": model_id})
    return [str(each) for each in found]


def event_violations(event_type: str, body: Json) -> list[str]:
    """What is wrong with the payload of an event of the stream.

    Members that real Bedrock sends and the model does not list (`serverToolUsage`) are in order, and so is a
    stop reason of the future: clients have to live with one, so a script has to be able to say one.
    """
    if event_type not in event_types():
        known = ", ".join(event_types())
        return [str(Violation(f"Event is not known; known are [{known}]", path=event_type))]
    return [str(each) for each in within(event_type, _event_checks()[_union()[event_type]](body))]


def event_types() -> tuple[str, ...]:
    """The events of the stream, in the order of the model; no exceptions."""
    return tuple(member for member, shape in _union().items() if "exception" not in _shapes()[shape])


def stream_exceptions() -> Mapping[str, str]:
    """The exceptions of the stream: member of the union (its `:exception-type`) to shape."""
    return {member: shape for member, shape in _union().items() if "exception" in _shapes()[shape]}


def stop_reasons() -> tuple[str, ...]:
    """The values of `stopReason`."""
    return tuple(_shapes()["StopReason"]["enum"])


def exception_statuses(operation: str = STREAMING) -> Mapping[str, int]:
    """The modelled exceptions of an operation and their HTTP statuses."""
    names = operations()[operation].exceptions
    return {name: _shapes()[name]["error"]["httpStatusCode"] for name in names}


@cache
def operations() -> Mapping[str, Operation]:
    """All operations of the service by name."""
    return {
        name: Operation(
            name,
            described["http"]["method"],
            described["http"]["requestUri"],
            described["input"]["shape"],
            tuple(error["shape"] for error in described.get("errors", ())),
        )
        for name, described in model()["operations"].items()
    }


@cache
def skipped_patterns() -> Mapping[str, str]:
    """Shapes of the Converse operations whose pattern cannot be checked here, and why. Empty, as tested."""
    for name in ("Converse", STREAMING):
        _checks()[operations()[name].input]
    return _checks().skipped


@cache
def _routes() -> Sequence[tuple[Operation, re.Pattern[str]]]:
    return [(operation, _route(operation.uri)) for operation in operations().values()]


def _route(uri: str) -> re.Pattern[str]:
    """`/model/{modelId}/converse` as a regular expression."""
    parts = re.split(r"\{(\w+)\+?\}", uri)
    labels = [f"(?P<{part}>.+)" if index % 2 else re.escape(part) for index, part in enumerate(parts)]
    return re.compile("".join(labels))


@cache
def _union() -> Mapping[str, str]:
    """The members of the stream's union, each with its shape."""
    response = _shapes()[model()["operations"][STREAMING]["output"]["shape"]]
    union = _shapes()[response["members"][response["payload"]]["shape"]]
    return {member: described["shape"] for member, described in union["members"].items()}


@cache
def _checks() -> Checks:
    return Checks(_shapes())


@cache
def _event_checks() -> Checks:
    shapes = dict(_shapes())
    for name, members in _SENT_UNMODELLED.items():
        sent = {member: {"shape": f"{name}.{member}"} for member in members}
        shapes[name] = {**shapes[name], "members": {**shapes[name]["members"], **sent}}
        shapes |= {f"{name}.{member}": shape for member, shape in members.items()}
    shapes["StopReason"] = {"type": "string", "min": 1}
    return Checks(shapes)


def _shapes() -> Mapping[str, Shape]:
    shapes: Mapping[str, Shape] = model()["shapes"]
    return shapes


@cache
def model() -> Mapping[str, Json]:
    """The raw model, as botocore has it."""
    path = max(_model_files(), default=None, key=lambda file: file.parent.name)
    if path is None:
        raise ServiceModelError(f"botocore is not installed, or has no model of {SERVICE}")
    content = path.read_bytes()
    loaded: Mapping[str, Json] = json.loads(gzip.decompress(content) if path.suffix == ".gz" else content)
    if STREAMING not in loaded["operations"]:
        raise ServiceModelError(f"{path} has no operation {STREAMING}; a newer botocore has")
    return loaded


def _model_files() -> Iterator[Path]:
    """The model files, one for each version of the API, whose date names the folder."""
    spec = find_spec("botocore")
    for package in (spec and spec.submodule_search_locations) or ():
        yield from Path(package, "data", SERVICE).glob("*/service-2.json*")
