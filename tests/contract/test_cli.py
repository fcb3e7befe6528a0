"""The command: what it prints, what it writes, and its exit codes."""

import json
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from converse_contract import Case
from converse_contract.catalogue import CASES, DELIVERY, SECTIONS
from converse_contract.cli import main

FLAGS = ["--first-byte", "2.5", "--total", "20"]


def test_list_has_every_case_under_its_section(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"]) == 0
    printed = capsys.readouterr().out
    assert [line.split()[0] for line in printed.splitlines() if line.startswith("  ")] == [
        case.id for case in (*CASES, *DELIVERY)
    ]
    assert all(f"{number} {title}" in printed.splitlines() for number, title in SECTIONS.items())


def test_cases_are_chosen_by_glob_and_level(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "--case", "1.1", "--case", "5.*"]) == 0
    chosen = [line.split()[0] for line in capsys.readouterr().out.splitlines() if line.startswith("  ")]
    assert chosen == [case.id for case in CASES if case.id == "1.1" or case.id.startswith("5.")]
    assert main(["list", "--level", "MUST"]) == 0
    assert " SHOULD " not in capsys.readouterr().out


def test_show_tells_all_about_a_case(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "1.14"]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    case = next(case for case in CASES if case.id == "1.14")
    for part in (case.title, case.requirement, case.why, "lets the model go on"):
        assert part in printed


@pytest.mark.parametrize("case", [*CASES, *DELIVERY], ids=lambda case: case.id)
def test_every_case_can_be_shown(case: Case, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", case.id]) == 0
    assert "<function" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["show", "99.1"], "no case 99.1; converse-contract list"),
        (["list", "--case", "nothing"], "no case matches nothing"),
        (
            ["run", "http://127.0.0.1:1", "--emulator", "http://127.0.0.1:1"],
            "no emulator at http://127.0.0.1:1",
        ),
        (
            ["run", "localhost:8000", "--emulator", "http://127.0.0.1:1"],
            "the handler's URL is 'localhost:8000'",
        ),
        (["run", "http://", "--emulator", "http://e"], "the handler's URL is 'http://'"),
        (["run", "http://h:port", "--emulator", "http://e"], "the handler's URL is 'http://h:port'"),
        (["run", "http://h", "--emulator", "http://e", "--path", "chat"], "--path is 'chat'"),
        (["run", "http://h", "--emulator", "8080"], "--emulator is '8080'"),
        (
            ["run", "http://h", "--emulator", "http://e", "--request", "{"],
            "--request: the request template is not JSON",
        ),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert said in printed.err.splitlines()[-1]
    assert printed.err.startswith(("converse-contract: ", "running "))


@pytest.mark.parametrize("arguments", [[], ["run"], ["run", "http://h"], ["list", "--level", "MAY"], ["fly"]])
def test_wrong_usage_is_told_by_argparse(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(arguments)
    assert exit_.value.code == 2
    assert "usage: converse-contract" in capsys.readouterr().err


def test_a_run_prints_and_writes_its_reports(
    handler_url: str, emulator_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    html, junit, report = (tmp_path / name for name in ("r.html", "r.xml", "r.json"))
    reports = ["--html", str(html), "--junit", str(junit), "--json", str(report)]
    asked = ["run", handler_url, "--emulator", emulator_url, "--case", "1.1", "--case", "7.1"]
    code = main([*asked, *FLAGS, "--without", "tools", *reports])
    printed = capsys.readouterr()
    assert code == 0
    assert "1 passed · 1 skipped · 2 in all" in printed.out
    assert printed.err == "running 2 cases …\n"
    assert html.read_text().startswith("<!doctype html>")
    assert len(list(ET.parse(junit).getroot().iter("testcase"))) == 2
    told = json.loads(report.read_text())
    assert told["limits"]["first_byte"] == 2.5
    assert told["cases"][0]["replay"] == (
        f"converse-contract run {handler_url} --emulator {emulator_url} "
        "--first-byte 2.5 --total 20 --without tools --case 1.1"
    )


def test_a_broken_promise_is_exit_code_1(
    handler_url: str, emulator_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The handler gives up after a few seconds; declaring 30 s is a promise it does not keep."""
    arguments = [
        "run",
        handler_url,
        "--emulator",
        emulator_url,
        "--case",
        "6.1",
        "--first-byte",
        "30",
        "--total",
        "60",
    ]
    assert main(arguments) == 1
    printed = capsys.readouterr().out
    assert "✗ 6.1" in printed
    assert "--first-byte 30 --total 60 --case 6.1" in " ".join(printed.split())


def test_a_report_that_cannot_be_written_is_exit_code_2(
    handler_url: str, emulator_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [
        "run",
        handler_url,
        "--emulator",
        emulator_url,
        "--case",
        "1.1",
        "--json",
        str(tmp_path / "no" / "r.json"),
    ]
    assert main(arguments) == 2
    assert "No such file or directory" in capsys.readouterr().err


def children(pid: int) -> set[int]:
    return {int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")
@pytest.mark.parametrize("ending", ["its own", "SIGTERM"])
def test_the_demo_leaves_nothing_running(ending: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "converse_contract", "demo", "--case", "1.1"]
    process = subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    seen: set[int] = set()
    while process.poll() is None:
        seen |= children(process.pid)
        if ending == "SIGTERM" and len(seen) == 3:
            process.send_signal(signal.SIGTERM)
            break
        time.sleep(0.05)
    printed, errors = process.communicate(timeout=60)
    assert len(seen) == 3, errors  # the emulator, the handler, the illusion
    assert [pid for pid in seen if Path(f"/proc/{pid}").exists()] == []
    if ending == "SIGTERM":
        assert process.returncode != 0
    else:
        assert process.returncode == 0, errors
        assert "time to first byte" in printed
        assert (tmp_path / "report.html").exists()
