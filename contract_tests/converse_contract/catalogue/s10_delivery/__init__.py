"""Section 10: the same answer over a path to the browser, with all that lies on it; a matter a file."""

from converse_contract.catalogue.s10_delivery import (
    coming_back,
    failures,
    form,
    gates,
    leaving,
    limits,
    pushed,
)
from converse_contract.delivery.case import PathCase

TITLE = "Delivery"
CASES: tuple[PathCase, ...] = (
    *gates.CASES,
    *form.CASES,
    *failures.CASES,
    *limits.CASES,
    *leaving.CASES,
    *coming_back.CASES,
    *pushed.CASES,
)
