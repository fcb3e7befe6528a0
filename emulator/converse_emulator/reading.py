"""What a request asks, by its path and its body. What has come before in the same bytes is not read again.

The bodies that are given out are shared by equal requests: nobody may change them.
"""

from collections import OrderedDict
from collections.abc import Hashable
from typing import NamedTuple, TypeVar

from converse_emulator.choosing.selectors import Route, route
from converse_emulator.http.inbound import Body, body_of
from converse_emulator.judging.judge import Judge
from converse_emulator.shapes.service import Operation, find_operation
from converse_emulator.spelling.operations import GENERATIONS

MOST_KEPT = 256
LONGEST_KEPT = 16_384  # bytes of a body

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class NotServed(ValueError):
    """An operation of the service that the emulator does not have."""

    def __init__(self, operation: str) -> None:
        super().__init__(f"{operation} is not served by this emulator")


class Target(NamedTuple):
    """What a request is for. `base_id` tells the family of a model of the user's own."""

    where: Route
    operation: Operation
    model_id: str  # decoded; empty for operations without one
    base_id: str
    most_output: int | None  # tokens that the model gives


class Reader:
    """Reads requests. `side_calls` are the operations that are served besides generations."""

    def __init__(self, judge: Judge, side_calls: frozenset[str]) -> None:
        self._judge = judge
        self._side_calls = side_calls
        self._targets: OrderedDict[tuple[str, bytes], Target] = OrderedDict()
        self._bodies: OrderedDict[bytes, Body] = OrderedDict()

    def target(self, method: str, raw_path: bytes) -> Target:
        """What is at a path; raises `UnknownPath`, `WrongMethod` and `NotServed`."""
        found = self._targets.get((method, raw_path))
        if found is None:
            where = route(raw_path.decode("latin-1"))
            operation, model_id = find_operation(method, where.rest)
            if operation.name not in self._side_calls and operation.name not in GENERATIONS:
                raise NotServed(operation.name)
            catalogue = self._judge.catalogue
            base_id = catalogue.base_id(model_id)
            model = catalogue.find(base_id or model_id)
            found = Target(where, operation, model_id, base_id, model.max_output if model else None)
            _keep(self._targets, (method, raw_path), found)
        return found

    def body(self, raw: bytes) -> Body:
        """A whole body."""
        found = self._bodies.get(raw)
        if found is None:
            found = body_of(raw)
            if len(raw) <= LONGEST_KEPT:
                _keep(self._bodies, raw, found)
        return found


def _keep(kept: OrderedDict[K, V], key: K, value: V) -> None:
    kept[key] = value
    if len(kept) > MOST_KEPT:
        kept.popitem(last=False)
