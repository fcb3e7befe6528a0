"""`converse-contract deliver PATH`: start what there is to start, and run the section over the path."""

import argparse
import shlex
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict

from converse_contract.case import Limits
from converse_contract.delivery.case import PathCase
from converse_contract.delivery.deliver import LIMITS, deliver
from converse_contract.delivery.path import PATHS, Path
from converse_contract.delivery.program import REFERENCE, Program
from converse_contract.delivery.wiring import REQUESTS, wire
from converse_contract.dialects.reference import PATH, REQUEST, ReferenceDialect
from converse_contract.runner import Progress
from converse_contract.serving import serving
from converse_contract.verdict import Results


def deliver_as_told(
    options: argparse.Namespace, cases: Sequence[PathCase], sections: dict[str, str], progress: Progress
) -> Results:
    """As the command line says. Raises what `deliver` raises, and `ValueError` for what does not fit."""
    path = PATHS[options.over]
    own = options.function or options.service
    program = Program.of(options.function, options.service) if own else REFERENCE
    usual = Limits() if own else LIMITS
    said = {name: getattr(options, name) for name in asdict(usual)}
    declared = {name: value for name, value in said.items() if value != getattr(Limits(), name)}
    limits = Limits(**{**asdict(usual), **declared})
    with ExitStack() as stack:
        emulator = options.emulator or stack.enter_context(
            serving("converse_emulator", "serve", "--port", "0")
        )
        wiring = stack.enter_context(wire(path, program, emulator, limits, _dialect(options, path)))
        return deliver(
            cases,
            wiring,
            emulator,
            forget=options.forget,
            without=options.without,
            replay=_replay(options, declared),
            sections=sections,
            progress=progress,
        )


def _dialect(options: argparse.Namespace, path: Path) -> ReferenceDialect:
    request = REQUESTS[path.protocol] if options.request == REQUEST else options.request
    return ReferenceDialect(options.path, request)


def _replay(options: argparse.Namespace, declared: dict[str, float]) -> str:
    """The command as it was given, without the choice of cases and without reports."""
    words = ["converse-contract", "deliver", options.over]
    for flag, value in (
        ("--function", options.function),
        ("--service", options.service),
        ("--emulator", options.emulator),
        *((f"--{name.replace('_', '-')}", f"{value:g}") for name, value in declared.items()),
        ("--path", options.path if options.path != PATH else None),
        ("--request", options.request if options.request != REQUEST else None),
        *(("--without", capability) for capability in options.without),
    ):
        words += [flag, value] if value else []
    return shlex.join(words + ["--forget"] * options.forget)
