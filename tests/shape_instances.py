"""Instances of the service model's shapes, drawn at random: what a request or an event may be."""

from base64 import b64encode
from functools import cache
from typing import Any

from converse_emulator.shapes import service
from converse_emulator.shapes.patterns import translate
from hypothesis import strategies as st

SHAPES = service.model()["shapes"]

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@cache
def valid(name: str) -> st.SearchStrategy[Any]:
    """Valid values of a shape."""
    shape = SHAPES[name]
    least, most = shape.get("min", 0), shape.get("max")
    match shape["type"]:
        case "structure" if shape.get("document"):
            return JSON.filter(lambda value: value is not None)
        case "structure" if shape.get("union"):
            return st.sampled_from(sorted(shape["members"])).flatmap(
                lambda member: st.fixed_dictionaries({member: valid(shape["members"][member]["shape"])})
            )
        case "structure":
            members = {key: later(m["shape"]) for key, m in shape["members"].items()}
            required = {key: members[key] for key in shape.get("required", ())}
            # Two optional members at most: they nest, and all at once would never end.
            optional = st.lists(st.sampled_from(sorted(members) or ["-"]), max_size=2, unique=True)
            return optional.flatmap(
                lambda chosen: st.fixed_dictionaries(
                    required | {key: members[key] for key in chosen if key in members}
                )
            )
        case "list":
            size = least + 2 if most is None else min(most, least + 2)
            return st.lists(valid(shape["member"]["shape"]), min_size=least, max_size=size)
        case "map":
            return st.dictionaries(
                valid(shape["key"]["shape"]), valid(shape["value"]["shape"]), min_size=least, max_size=2
            )
        case "string" if "enum" in shape:
            return st.sampled_from(shape["enum"])
        case "string" if "pattern" in shape:
            return st.from_regex(translate(shape["pattern"]), fullmatch=True).filter(
                lambda text: least <= len(text) <= (most or len(text))
            )
        case "string":
            return st.text(min_size=least, max_size=min(most or 20, least + 20))
        case "integer" | "long":
            return st.integers(least, most or 2**31 - 1)
        case "float" | "double":
            return st.floats(least, most)
        case "boolean":
            return st.booleans()
        case "blob":
            return st.binary(min_size=least, max_size=least + 5).map(lambda raw: b64encode(raw).decode())
        case "timestamp" if shape.get("timestampFormat") == "iso8601":
            return st.datetimes().map(lambda moment: f"{moment.isoformat()}Z")
        case "timestamp":
            return st.integers(0, 2**32)
        case kind:
            raise AssertionError(f"no strategy for {kind}")


def later(name: str) -> st.SearchStrategy[Any]:
    return st.deferred(lambda: valid(name))


def replaced(value: Any, keys: tuple[Any, ...], new: Any) -> Any:
    """A copy of `value` with `new` at the place that `keys` lead to."""
    if not keys:
        return new
    copy = value.copy()
    copy[keys[0]] = replaced(value[keys[0]], keys[1:], new)
    return copy
