"""The service models of `bedrock-runtime`, and of a little of `bedrock`, read from the installed botocore.

Nothing of it is copied here, so a newer botocore brings new members by itself. Only botocore's data file is
read: importing botocore would cost a quarter of a second. Everything is read on first use and remembered.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

from converse_emulator.errors import EmulatorError
from converse_emulator.installed import version_of
from converse_emulator.shapes.constraints import Checks
from converse_emulator.shapes.scalars import Check, Shape
from converse_emulator.shapes.violations import Json, Violation, mistyped, within
from converse_emulator.user_cache import cached

SERVICE = "bedrock-runtime"
CONTROL_PLANE = "bedrock"
STREAMING = "ConverseStream"
INVOKE_STREAM = "InvokeModelWithResponseStream"

# Of the control plane only what frameworks ask before their first request.
_CONTROL_OPERATIONS = frozenset(
    {"GetFoundationModel", "GetInferenceProfile", "ListFoundationModels", "ListInferenceProfiles"}
)
_CONTROL_PATHS = ("/foundation-models", "/inference-profiles")

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


class Operation(NamedTuple):
    """An operation of the model. `uri` has labels in braces, `/model/{modelId}/converse`."""

    name: str
    method: str
    uri: str
    input: str  # the name of a shape
    exceptions: tuple[str, ...]
    service: str = SERVICE


def find_operation(method: str, raw_path: str) -> tuple[Operation, str]:
    """The operation of a request, and its model id, decoded (empty for operations without one).

    `raw_path` is percent-encoded as the client sent it. A slash of an ARN may be raw or `%2F`, a colon raw or
    `%3A`: a label takes everything up to the operation's next fixed part.
    """
    path = raw_path.partition("?")[0]
    known = _operations(CONTROL_PLANE if path.startswith(_CONTROL_PATHS) else SERVICE).values()
    alike = (each for each in known if path.endswith(_fixed_end(each.uri)))
    matches = [(each, found) for each in alike if (found := _route(each.uri).fullmatch(path))]
    for operation, found in matches:
        if operation.method == method:
            return operation, unquote(found.groupdict().get("modelId", ""))
    if matches:
        raise WrongMethod(method, path, sorted({operation.method for operation, _ in matches}))
    raise UnknownPath(path, sorted({operation.uri for operation in known}))


def labels(operation: Operation, raw_path: str) -> dict[str, str]:
    """The members of an operation's input that stand in its path, decoded."""
    found = _route(operation.uri).fullmatch(raw_path.partition("?")[0])
    return {name: unquote(value) for name, value in found.groupdict().items()} if found else {}


def query_members(operation: Operation) -> Mapping[str, tuple[str, str]]:
    """The parameters of an operation's query: the member of the input that each is, and its type."""
    shapes = _shapes(operation.service)
    return {
        member["locationName"]: (name, shapes[member["shape"]]["type"])
        for name, member in shapes[operation.input]["members"].items()
        if member.get("location") == "querystring"
    }


def input_violations(operation: Operation, members: Json) -> list[str]:
    """What is wrong with an operation's input, wherever its members stood in the request."""
    found = _check(operation.service, operation.input)(members)
    return [str(each) for each in found] if found else []


def violations(operation: str, model_id: str, body: Json) -> list[str]:
    """What is wrong with a request, each text naming the member; `violations.summary` joins them."""
    if not isinstance(body, dict):
        return [str(each) for each in within("body", [mistyped(body, "structure")])]
    return input_violations(operations()[operation], {**body, "modelId": model_id})


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
    shapes = _shapes(SERVICE)
    return tuple(member for member, shape in _union().items() if "exception" not in shapes[shape])


def stream_exceptions(operation: str = STREAMING) -> Mapping[str, str]:
    """The exceptions of a stream: member of its union (the `:exception-type`) to shape."""
    shapes = _shapes(SERVICE)
    return {member: shape for member, shape in _union(operation).items() if "exception" in shapes[shape]}


def stop_reasons() -> tuple[str, ...]:
    """The values of `stopReason`."""
    return tuple(_shapes(SERVICE)["StopReason"]["enum"])


def exception_statuses(operation: str = STREAMING) -> Mapping[str, int]:
    """The modelled exceptions of an operation and their HTTP statuses."""
    names = operations()[operation].exceptions
    return {name: _shapes(SERVICE)[name]["error"]["httpStatusCode"] for name in names}


def operations() -> Mapping[str, Operation]:
    """All operations of `bedrock-runtime` by name."""
    return _operations(SERVICE)


def operation_named(name: str) -> Operation:
    """An operation of either service."""
    return operations().get(name) or _operations(CONTROL_PLANE)[name]


@cache
def _operations(service: str) -> Mapping[str, Operation]:
    return {
        name: Operation(
            name,
            described["http"]["method"],
            described["http"]["requestUri"],
            described["input"]["shape"],
            tuple(error["shape"] for error in described.get("errors", ())),
            service,
        )
        for name, described in _model(service)["operations"].items()
        if service == SERVICE or name in _CONTROL_OPERATIONS
    }


@cache
def skipped_patterns() -> Mapping[str, str]:
    """Shapes of the Converse operations whose pattern cannot be checked here, and why. Empty, as tested."""
    for name in ("Converse", STREAMING):
        _checks(SERVICE)[operations()[name].input]
    return _checks(SERVICE).skipped


def _fixed_end(uri: str) -> str:
    """`/converse`, of `/model/{modelId}/converse`; it tells which of the patterns need be compiled."""
    return uri.rpartition("}")[2]


@cache
def _route(uri: str) -> re.Pattern[str]:
    """`/model/{modelId}/converse` as a regular expression."""
    parts = re.split(r"\{(\w+)\+?\}", uri)
    labels = [f"(?P<{part}>.+)" if index % 2 else re.escape(part) for index, part in enumerate(parts)]
    return re.compile("".join(labels))


@cache
def _union(operation: str = STREAMING) -> Mapping[str, str]:
    """The members of a stream's union, each with its shape."""
    shapes = _shapes(SERVICE)
    response = shapes[model()["operations"][operation]["output"]["shape"]]
    union = shapes[response["members"][response["payload"]]["shape"]]
    return {member: described["shape"] for member, described in union["members"].items()}


@cache
def _check(service: str, shape: str) -> Check:
    return _checks(service)[shape]


@cache
def _checks(service: str) -> Checks:
    return Checks(_shapes(service))


@cache
def _event_checks() -> Checks:
    shapes = dict(_shapes(SERVICE))
    for name, members in _SENT_UNMODELLED.items():
        sent = {member: {"shape": f"{name}.{member}"} for member in members}
        shapes[name] = {**shapes[name], "members": {**shapes[name]["members"], **sent}}
        shapes |= {f"{name}.{member}": shape for member, shape in members.items()}
    shapes["StopReason"] = {"type": "string", "min": 1}
    return Checks(shapes)


def _shapes(service: str) -> Mapping[str, Shape]:
    shapes: Mapping[str, Shape] = _model(service)["shapes"]
    return shapes


def model() -> Mapping[str, Json]:
    """The raw model of `bedrock-runtime`, as botocore has it."""
    return _model(SERVICE)


@cache
def _model(service: str) -> Mapping[str, Json]:
    path = max(_model_files(service), default=None, key=lambda file: file.parent.name)
    if path is None:
        raise ServiceModelError(f"botocore is not installed, or has no model of {service}")
    # Unpacked, and without its documentation, it is read in a third of the time.
    name = f"{service}-{path.parent.name}-{path.stat().st_size}-botocore-{version_of('botocore')}"
    loaded: Mapping[str, Json] = cached(name, lambda: _read(path))
    if service == SERVICE and STREAMING not in loaded["operations"]:
        raise ServiceModelError(f"{path} has no operation {STREAMING}; a newer botocore has")
    return loaded


def _read(path: Path) -> Json:
    import gzip

    content = path.read_bytes()
    return _undocumented(json.loads(gzip.decompress(content) if path.suffix == ".gz" else content))


def _undocumented(value: Json) -> Json:
    """The model without what is only for people. A member called so is a shape, not a text."""
    match value:
        case dict():
            return {
                key: _undocumented(inner)
                for key, inner in value.items()
                if not (key == "documentation" and isinstance(inner, str))
            }
        case list():
            return [_undocumented(inner) for inner in value]
        case _:
            return value


def _model_files(service: str) -> Iterator[Path]:
    """The model files, one for each version of the API, whose date names the folder."""
    spec = find_spec("botocore")
    for package in (spec and spec.submodule_search_locations) or ():
        yield from Path(package, "data", service).glob("*/service-2.json*")
