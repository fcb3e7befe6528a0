"""The reference handler keeps every promise of the catalogue: one item for each case."""

from collections.abc import Mapping

import pytest
from converse_contract.catalogue import CASES


@pytest.mark.xdist_group("contract")
@pytest.mark.parametrize("case", [case.id for case in CASES])
def test_the_reference_handler(case: str, complaints: Mapping[str, str]) -> None:
    if complaints[case]:
        pytest.fail(complaints[case], pytrace=False)
