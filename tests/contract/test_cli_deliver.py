"""`converse-contract deliver`: a handler over a path, from the command line."""

import json
import shlex
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from converse_contract.cli import main

MUTANTS = f"{shlex.quote(sys.executable)} -m converse_contract.mutants.paths"


def test_the_reference_handler_keeps_a_promise_over_a_path(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    report, junit, page = tmp_path / "report.json", tmp_path / "junit.xml", tmp_path / "report.html"
    reports = ["--json", str(report), "--junit", str(junit), "--html", str(page)]
    assert main(["deliver", "load-balancer", "--case", "10.1", *reports]) == 0
    assert "10 Delivery\n  ✓ 10.1 " in capsys.readouterr().out
    (case,) = json.loads(report.read_text())["cases"]
    (hop,) = case["evidence"]["hops"]
    assert hop["name"] == "load balancer"
    assert {each["what"] for each in hop["passings"]} == {"received", "passed", "ended"}
    assert ET.parse(junit).getroot().get("failures") == "0"
    assert "load-balancer (Application Load Balancer, service)" in page.read_text()


def test_a_forgotten_switch_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["deliver", "function-url", "--forget", "--case", "10.9"]) == 1
    printed = " ".join(capsys.readouterr().out.split())
    assert "function URL with InvokeMode: BUFFERED; it needs InvokeMode: RESPONSE_STREAM" in printed
    assert "replay converse-contract deliver function-url --forget --case 10.9" in printed


def test_a_program_of_ones_own_is_started(capsys: pytest.CaptureFixture[str]) -> None:
    """It calls Converse, and is told so."""
    own = f"{MUTANTS} pretends-to-type"
    limits = ["--first-byte", "20", "--between-bytes", "20"]
    assert main(["deliver", "function-url", "--function", own, *limits, "--case", "10.2"]) == 1
    printed = " ".join(capsys.readouterr().out.split())
    assert "expected ConverseStream calls only actual Converse" in printed
    assert f"deliver function-url --function {shlex.quote(own)} --first-byte 20 --between-bytes 20" in printed


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["websocket", "--service", "http://127.0.0.1:1"], "websocket has to tell the program where"),
        (["load-balancer", "--service", "serve"], "'serve' is neither a URL nor a command with {port} in it"),
        (["load-balancer", "--function", "serve"], "load-balancer needs a service"),
        (["load-balancer", "--case", "10.24"], "none of these cases is about load-balancer"),
        (["load-balancer", "--request", "{}"], "the request template has no {{prompt}} in it"),
        (["load-balancer", "--emulator", "http://127.0.0.1:1"], "no emulator at http://127.0.0.1:1"),
    ],
)
def test_what_cannot_be_done_is_explained(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["deliver", *arguments]) == 2
    assert said in capsys.readouterr().err


def test_a_path_that_there_is_not_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["deliver", "carrier-pigeon"])
    assert "function-url" in capsys.readouterr().err
