"""Lists in pages."""

from typing import Any

import pytest
from converse_emulator.http.refusals import ServiceError
from converse_emulator.side.pages import page
from hypothesis import given
from hypothesis import strategies as st


@given(st.lists(st.integers(), max_size=30), st.integers(1, 10))
def test_the_pages_together_are_the_list(items: list[int], size: int) -> None:
    seen: list[int] = []
    members: dict[str, Any] = {"maxResults": size}
    while True:
        got = page("items", items, members)
        assert len(got["items"]) <= size
        seen += got["items"]
        if "nextToken" not in got:
            break
        members["nextToken"] = got["nextToken"]
    assert seen == items


def test_without_a_size_all_fit_on_one_page() -> None:
    assert page("items", [1, 2, 3], {}) == {"items": [1, 2, 3]}


@pytest.mark.parametrize("token", ["", "nonsense", "LTE=", "OTk="])
def test_a_token_that_was_never_given(token: str) -> None:
    with pytest.raises(ServiceError, match="nextToken is invalid") as caught:
        page("items", [1, 2, 3], {"nextToken": token})
    assert caught.value.name == "ValidationException"
