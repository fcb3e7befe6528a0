"""Laws of the compiled constraints, over requests drawn from the service model itself."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.model import ServiceModel
from botocore.validate import ParamValidator
from converse_emulator.shapes import service
from converse_emulator.shapes.constraints import Checks
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.shape_instances import JSON, SHAPES, replaced, valid

MODEL = service.model()
CHECKS = Checks(SHAPES)
REQUEST = "ConverseStreamRequest"


def nodes(name: str, value: Any, keys: tuple[Any, ...] = (), path: str = "") -> Iterator[tuple[Any, ...]]:
    """The places of a value, documents left out: the keys that lead there, the path in a violation."""
    shape = SHAPES[name]
    if shape.get("document"):
        return
    if keys:
        yield keys, path.removeprefix(".")
    match shape["type"]:
        case "structure":
            for key, item in value.items():
                yield from nodes(shape["members"][key]["shape"], item, (*keys, key), f"{path}.{key}")
        case "list":
            for index, item in enumerate(value):
                where = f"{path}.{index + 1}.member"
                yield from nodes(shape["member"]["shape"], item, (*keys, index), where)
        case "map":
            for key, item in value.items():
                yield from nodes(shape["value"]["shape"], item, (*keys, key), f"{path}.{key}")


def reordered(value: Any) -> Any:
    """The same JSON with the keys of every object in the opposite order."""
    match value:
        case dict():
            return {key: reordered(value[key]) for key in reversed(value)}
        case list():
            return [reordered(item) for item in value]
        case _:
            return value


quick = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@quick
@given(request=valid(REQUEST))
def test_a_valid_request_is_accepted_here_and_by_botocore(request: Any) -> None:
    assert [str(each) for each in CHECKS[REQUEST](request)] == []
    shape = ServiceModel(MODEL).operation_model("ConverseStream").input_shape
    assert ParamValidator().validate(request, shape).generate_report() == ""


def test_a_member_may_have_an_empty_name() -> None:
    found = CHECKS[REQUEST]({"modelId": "m", "promptVariables": {"": 1}})
    assert [each.path for each in found] == ["promptVariables."]


@quick
@given(data=st.data())
def test_one_wrong_member_is_one_violation_that_names_it(data: st.DataObject) -> None:
    request = data.draw(valid(REQUEST).filter(lambda value: len(value) > 1))
    keys, path = data.draw(st.sampled_from(list(nodes(REQUEST, request))))
    wrong = data.draw(st.sampled_from([[{}], {"x": [{}]}, object()]))
    broken = replaced(request, keys, wrong)
    found = CHECKS[REQUEST](broken)
    assert found
    told = [each.path or "" for each in found]
    assert all(each == path or each.startswith(f"{path}.") for each in told)


@quick
@given(value=JSON, member=st.sampled_from(sorted(SHAPES[REQUEST]["members"])))
def test_any_json_is_judged_and_the_order_of_keys_does_not_matter(value: Any, member: str) -> None:
    request = {"modelId": "x", member: value}
    found = [str(each) for each in CHECKS[REQUEST](request)]
    assert found == [str(each) for each in CHECKS[REQUEST](reordered(request))]
    assert all(f"at '{member}" in text for text in found)


@pytest.mark.parametrize("name", sorted(SHAPES))
def test_every_shape_of_the_service_compiles(name: str) -> None:
    assert callable(CHECKS[name])
    assert name not in CHECKS.skipped
