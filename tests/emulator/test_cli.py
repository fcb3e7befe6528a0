"""The command line: what it prints, and its exit codes."""

import json
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from converse_emulator import Emulator
from converse_emulator.cli import main
from converse_emulator.framing.eventstream import Message, encode

BODY = b'{"messages": [{"role": "user", "content": [{"text": "Hi"}]}]}'
FRAME = encode(Message(((":event-type", "messageStart"), (":message-type", "event")), b"{}"))


@contextmanager
def served(*arguments: str) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """A running `serve` and the first line it prints."""
    command = [sys.executable, "-m", "converse_emulator", "serve", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        yield process, process.stdout.readline()
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serve_says_when_it_is_ready_and_ends_cleanly(number: signal.Signals) -> None:
    with served("--seed", "7", "--speed", "2") as (process, line):
        word, url = line.split()
        assert (word, line) == ("ready", f"ready {url}\n")
        with urllib.request.urlopen(f"{url}/_emulator/health", timeout=30) as response:
            health = json.load(response)
        assert health.pop("timing")["p50_ms"] == 0.0
        assert health == {"status": "ok", "seed": "7", "speed": 2.0}
        process.send_signal(number)
        assert process.communicate(timeout=30) == ("", "")
        assert process.returncode == 0


def test_serve_ends_while_a_stream_runs() -> None:
    with served() as (process, line):
        url = f"{line.split()[1]}/scenario/timeouts/after-message-start"
        request = urllib.request.Request(f"{url}/model/amazon.nova-micro-v1:0/converse-stream", BODY)
        with urllib.request.urlopen(request, timeout=30) as response:
            response.read(1)
            process.terminate()
            assert process.wait(timeout=30) == 0


def test_serve_has_scenarios_of_ones_own(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.yaml").write_text("Hello")
    folders = [str(tmp_path / "a"), str(tmp_path / "b")]
    with served("--scenarios", *folders) as (_, line):
        url = f"{line.split()[1]}/_emulator/scenarios"
        with urllib.request.urlopen(url, timeout=30) as response:
            names = [each["name"] for each in json.load(response)["scenarios"]]
    assert {"a", "b", "text/short-answer"} <= set(names)


def test_serve_judges_as_it_is_told(tmp_path: Path) -> None:
    models = tmp_path / "models.yaml"
    models.write_text("models: {mine: {max_output: 10}}")
    body = (
        b'{"messages": [{"role": "user", "content": [{"text": "Hi"}]}], "inferenceConfig": {"maxTokens": 11}}'
    )

    def status(line: str, model_id: str) -> int:
        request = urllib.request.Request(f"{line.split()[1]}/model/{model_id}/converse", body)
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                return int(response.status)
        except urllib.error.HTTPError as error:
            with error:
                return error.code

    with served("--models", str(models)) as (_, line):
        assert [status(line, model_id) for model_id in ("mine", "m", "amazon.nova-micro-v1:0")] == [
            400,
            400,
            200,
        ]
    with served("--models", str(models), "--validation", "model") as (_, line):
        assert [status(line, model_id) for model_id in ("mine", "m")] == [200, 200]


def test_serve_tells_of_mistakes_in_the_models(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    models = tmp_path / "models.yaml"
    models.write_text("modles: {}")
    assert main(["serve", "--models", str(models)]) == 2
    assert "models.yaml:1:1: unknown member 'modles' (did you mean 'models'?)" in capsys.readouterr().err


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "example.com"])
def test_serve_refuses_what_others_can_reach(host: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--host", host]) == 2
    assert "--allow-remote" in capsys.readouterr().err


def test_serve_says_if_the_port_is_taken(capsys: pytest.CaptureFixture[str]) -> None:
    with Emulator() as emulator:
        assert main(["serve", "--port", emulator.endpoint_url.rpartition(":")[2]]) == 2
    assert "in use" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nothing"],
        ["serve", "--port", "70000"],
        ["serve", "--port", "x"],
        ["serve", "--speed", "0"],
        ["serve", "--speed", "nan"],
        ["show"],
        ["show", "a", "--operation", "CountTokens"],
    ],
)
def test_wrong_usage_is_explained(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(arguments)
    assert exit_.value.code == 2
    assert "usage: converse-emulator" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["serve", "scenarios", "show", "decode", "schema", "journal"])
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main([command, "--help"])
    assert exit_.value.code == 0
    assert f"usage: converse-emulator {command}" in capsys.readouterr().out


def test_mistakes_in_scenarios_are_told_with_their_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad.yaml").write_text("title: Bad\nhandlers: None\nreply:\n- tekst: Hi\n")
    for arguments in (["serve"], ["scenarios"], ["show", "bad"]):
        assert main([*arguments, "--scenarios", str(tmp_path)]) == 2
        assert f"{tmp_path}/bad.yaml:4:3: " in capsys.readouterr().err
    assert main(["show", str(tmp_path / "bad.yaml")]) == 2
    assert main(["scenarios", "--scenarios", str(tmp_path / "missing")]) == 2


def test_scenarios_lists_names_and_titles(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scenarios"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) >= 40
    assert any(line.startswith("text/short-answer  ") for line in lines)


def test_show_prints_what_is_sent_when(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "text/short-answer"]) == 0
    assert "  +0.000 s  head 200\n" in capsys.readouterr().out
    assert main(["show", "refusals/throttling", "--operation", "Converse"]) == 0
    assert "head 429" in capsys.readouterr().out
    (tmp_path / "mine.yaml").write_text("Hello")
    assert main(["show", str(tmp_path / "mine.yaml")]) == 0
    assert capsys.readouterr().out.startswith("mine\n")


def test_show_depends_on_the_seed_only(capsys: pytest.CaptureFixture[str]) -> None:
    def shown(seed: str) -> str:
        assert main(["show", "text/short-answer", "--seed", seed]) == 0
        return capsys.readouterr().out

    assert shown("1") == shown("1") != shown("2")


def test_an_unknown_scenario_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "text/shortanswer"]) == 2
    assert "text/short-answer" in capsys.readouterr().err


def test_decode_lists_frames(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "body.bin"
    file.write_bytes(FRAME + FRAME)
    assert main(["decode", str(file)]) == 0
    offsets = [line[:10] for line in capsys.readouterr().out.splitlines()]
    assert offsets == ["0x00000000", f"0x{len(FRAME):08x}"]


def test_decode_stops_at_a_bad_frame(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "body.bin"
    file.write_bytes(FRAME + FRAME[:-1])
    assert main(["decode", str(file)]) == 1
    printed = capsys.readouterr()
    assert len(printed.out.splitlines()) == 1
    assert printed.err.startswith(f"0x{len(FRAME):08x}  ")


def test_decode_reads_standard_input() -> None:
    command = [sys.executable, "-m", "converse_emulator", "decode", "-"]
    assert subprocess.run(command, input=FRAME, capture_output=True, check=True).stdout.startswith(
        b"0x00000000"
    )


def test_a_file_that_is_not_there_is_explained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["decode", str(tmp_path / "missing")]) == 2
    assert "No such file" in capsys.readouterr().err


def test_a_reader_that_has_enough_is_no_error() -> None:
    command = f"{sys.executable} -m converse_emulator schema | head -c 1"
    printed = subprocess.run(["bash", "-c", f"set -o pipefail; {command}"], capture_output=True, check=True)
    assert (printed.stdout, printed.stderr) == (b"{", b"")


def test_schema_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out)["$schema"].startswith("https://json-schema.org/")


def test_journal_prints_the_exchanges(capsys: pytest.CaptureFixture[str]) -> None:
    with Emulator() as emulator:
        url = f"{emulator.endpoint_url}/scenario/text/short-answer/model/amazon.nova-micro-v1:0/converse"
        with urllib.request.urlopen(urllib.request.Request(url, BODY), timeout=30) as response:
            response.read()
        emulator.journal.wait()
        assert main(["journal", f"{emulator.endpoint_url}/"]) == 0
    assert (
        "#1 Converse amazon.nova-micro-v1:0\n  session default · text/short-answer · finished\n"
        in capsys.readouterr().out
    )


@pytest.mark.parametrize("url", ["nonsense", "file:///etc/passwd", "http://127.0.0.1:9"])
def test_a_journal_that_is_not_there_is_explained(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["journal", url]) == 2
    assert capsys.readouterr().err.startswith("converse-emulator: ")
