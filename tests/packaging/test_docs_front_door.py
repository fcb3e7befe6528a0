"""The pages about authentication and quotas: their examples run, their tables tell what happens."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from converse_emulator.admission.quotas import quota_from
from converse_emulator.cli import main
from converse_emulator.http.refusals import REFUSALS

ROOT = Path(__file__).parents[2]
AUTHENTICATION, QUOTAS = "docs/authentication.md", "docs/quotas.md"
Blocks = Callable[[str, str], list[str]]


@pytest.fixture(autouse=True)
def _no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_BEARER_TOKEN_BEDROCK", raising=False)


def test_the_example_of_authentication_runs(
    blocks: Blocks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (credentials,) = blocks(AUTHENTICATION, "yaml")
    (tmp_path / "credentials.yaml").write_text(credentials)
    monkeypatch.chdir(tmp_path)
    (example,) = blocks(AUTHENTICATION, "python")
    exec(compile(example, AUTHENTICATION, "exec"), {})


def test_the_example_of_quotas_runs(blocks: Blocks) -> None:
    (example,) = blocks(QUOTAS, "python")
    exec(compile(example, QUOTAS, "exec"), {})


def test_the_quotas_of_the_command_are_such(blocks: Blocks) -> None:
    (command,) = blocks(QUOTAS, "")
    assert [quota_from(text).models for text in re.findall(r"--quota '(.*?)'", command)] == [
        "anthropic.*",
        "*",
    ]


@pytest.mark.parametrize("page", [AUTHENTICATION, QUOTAS])
def test_a_table_tells_errors_as_they_are(page: str) -> None:
    """Each row names an error that there is; where the text is told whole, it is that."""
    rows = [
        line for line in (ROOT / page).read_text().splitlines() if "Exception`" in line and line[0] == "|"
    ]
    texts = {refusal.code: set[str]() for refusal in REFUSALS.values()}
    for refusal in REFUSALS.values():
        texts[refusal.code].add(refusal.text)
    assert len(rows) >= 3
    for row in rows:
        code, text = (
            re.findall(r"`([^`]*)`", row)[-2:] if page == QUOTAS else re.findall(r"`([^`]+)`", row)[:2]
        )
        assert code in texts, row
        if code == "AccessDeniedException" and "…" not in text:
            assert text in texts[code], row


def test_strict_authentication_needs_its_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--auth", "strict"]) == 2
    assert main(["serve", "--credentials", "x.yaml"]) == 2
    assert "--auth strict and --credentials FILE belong together" in capsys.readouterr().err


def test_a_bad_quota_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["serve", "--quota", "x"])
    assert "'x' is no quota; one looks like anthropic.*:rpm=60" in capsys.readouterr().err
