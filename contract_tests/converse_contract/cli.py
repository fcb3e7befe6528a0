"""`converse-contract`: run the catalogue against a handler, alone or over a path; list it, show a case, demo.

Exit codes: 0 all hold, 1 some fail, 2 could not run.
"""

import argparse
import json
import os
import shlex
import shutil
import signal
import sys
import textwrap
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

import httpx

from converse_contract.arguments import LIMITS, PROBE_PATH, parser
from converse_contract.case import Case, Level, Limits, explain
from converse_contract.catalogue import CASES, DELIVERY, SECTIONS
from converse_contract.delivery.case import PathCase
from converse_contract.dialects.reference import PATH, REQUEST, ReferenceDialect
from converse_contract.latency import Comparison, NotMeasured
from converse_contract.listen import Target
from converse_contract.progress import Progress
from converse_contract.runner import CouldNotRun, command, run
from converse_contract.serving import DidNotStart
from converse_contract.verdict import Outcome, Results


class Mistake(Exception):
    """What was asked for cannot be done; the text says why."""


def main(arguments: Sequence[str] | None = None) -> int:
    """The command. Returns its exit code."""
    options = parser().parse_args(arguments)
    try:
        return COMMANDS[options.command](options)
    except BrokenPipeError:  # whoever read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 2
    except (Mistake, CouldNotRun, DidNotStart, NotMeasured, OSError) as error:
        print(f"converse-contract: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def _run(options: argparse.Namespace) -> int:
    try:
        dialect = ReferenceDialect(options.path, options.request)
    except ValueError as error:
        raise Mistake(f"--request: {error}") from None
    for name, url in (("the handler's URL", options.url), ("--emulator", options.emulator)):
        if not _is_url(url):
            raise Mistake(f"{name} is {url!r}, which is no http:// or https:// URL")
    for name, path in (("--path", options.path), ("--probe-path", options.probe_path)):
        if not path.startswith("/"):
            raise Mistake(f"{name} is {path!r}, which does not begin with a slash")
    limits = Limits(**{name: getattr(options, name) for name in LIMITS})
    target = Target(options.url, dialect, limits, options.probe_path)
    cases = _chosen(options)
    with Progress(len(cases)) as progress:
        results = run(
            cases,
            target,
            options.emulator,
            without=options.without,
            replay=_replay(options, target),
            sections=SECTIONS,
            progress=progress,
        )
    _report(options, results)
    return results.exit_code


def _deliver(options: argparse.Namespace) -> int:
    from converse_contract.delivery.command import deliver_as_told

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what is started is ended, too
    chosen = _chosen(options, DELIVERY)
    cases = [case for case in chosen if isinstance(case, PathCase) and options.over in case.paths]
    if not cases:
        raise Mistake(
            f"none of these cases is about {options.over}; converse-contract show tells of which they are"
        )
    try:
        with Progress(len(cases)) as progress:
            results = deliver_as_told(options, cases, SECTIONS, progress)
    except ValueError as error:
        raise Mistake(str(error)) from None
    _report(options, results)
    return results.exit_code


def _demo(options: argparse.Namespace) -> int:
    from converse_contract.demo import demo

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what demo starts is ended, too
    cases = _chosen(options)
    with Progress(len(cases)) as progress:
        results, comparison = demo(cases, SECTIONS, progress, progress.note)
    if isinstance(comparison, NotMeasured):
        _report(options, results)
        raise comparison
    _report(options, results, comparison)
    return results.exit_code or int(results.count(Outcome.NON_STRICT) > 0)


def _list(options: argparse.Namespace) -> int:
    section = None
    for case in _chosen(options, (*CASES, *DELIVERY)):
        number = case.id.partition(".")[0]
        if number != section:
            section = number
            print(f"\n{number} {SECTIONS[number]}")
        print(f"  {case.id:<6}{case.level.value:<7}{case.title}")
    return 0


def _show(options: argparse.Namespace) -> int:
    case = next((case for case in (*CASES, *DELIVERY) if case.id == options.id), None)
    if case is None:
        raise Mistake(f"no case {options.id}; converse-contract list tells which there are")
    script = case.script(Limits())
    scenario = script if isinstance(script, str) else textwrap.shorten(json.dumps(script), 800)
    print(f"{case.id}  {case.title}\n")
    for name, text in (
        (case.level.value, case.requirement),
        ("why", case.why),
        ("scenario", scenario),
        ("client", explain(case.drive)),
        ("needs", ", ".join(sorted(case.needs)) or "nothing"),
        *([("paths", ", ".join(case.paths))] if isinstance(case, PathCase) else ()),
    ):
        print(textwrap.fill(text, 100, initial_indent=f"{name:>10}  ", subsequent_indent=" " * 12))
    return 0


def _chosen(options: argparse.Namespace, among: Sequence[Case] = CASES) -> list[Case]:
    """The cases that the options choose, in the catalogue's order."""
    globs = options.case or ["*"]
    cases = [
        case
        for case in among
        if any(fnmatchcase(case.id, glob) for glob in globs)
        and (options.level == "SHOULD" or case.level is Level.MUST)
    ]
    if not cases:
        raise Mistake(f"no case matches {' '.join(globs)}; converse-contract list tells which there are")
    return cases


def _replay(options: argparse.Namespace, target: Target) -> str:
    """The command as it was given, without the choice of cases and without reports."""
    words = command(target, options.emulator)
    defaults = {"--path": PATH, "--request": REQUEST, "--probe-path": PROBE_PATH}
    for flag, value in zip(defaults, (options.path, options.request, options.probe_path), strict=True):
        if value != defaults[flag]:
            words += [flag, value]
    for capability in options.without:
        words += ["--without", capability]
    return shlex.join(words)


def _report(options: argparse.Namespace, results: Results, comparison: Comparison | None = None) -> None:
    from converse_contract.report import html, junit, text
    from converse_contract.report import json as json_report

    color = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    width = min(shutil.get_terminal_size((110, 24)).columns, 140)
    print(text.render(results, comparison, width=width, color=color), end="")
    if options.json:
        _write(options.json, json_report.render(results, comparison))
    if options.junit:
        _write(options.junit, junit.render(results))
    if options.html:
        _write(options.html, html.render(results, comparison))


def _write(path: Path, content: str) -> None:
    path.write_text(content, encoding="utf-8")
    print(f"wrote {path}")


def _is_url(text: str) -> bool:
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:
        return False
    return url.scheme in ("http", "https") and bool(url.host)


COMMANDS = {"run": _run, "deliver": _deliver, "list": _list, "show": _show, "demo": _demo}
