"""A request's body as JSON that nobody changes, and what is found out about it, once."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from converse_emulator.language.scenario import Json

T = TypeVar("T")


class Content(dict[str, Json]):
    """The JSON object of a body. Equal requests may share one (see `reading`)."""

    __slots__ = ("facts",)

    def __init__(self, members: Mapping[str, Json]) -> None:
        super().__init__(members)
        self.facts: dict[object, Any] = {}


def once(find_out: Callable[[Mapping[str, Json]], T]) -> Callable[[Mapping[str, Json]], T]:
    """A function that finds something out about a body, and remembers it if the body is a `Content`."""

    def remembered(body: Mapping[str, Json]) -> T:
        if type(body) is not Content:
            return find_out(body)
        try:
            found: T = body.facts[find_out]
        except KeyError:
            found = body.facts[find_out] = find_out(body)
        return found

    return remembered
