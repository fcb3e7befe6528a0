"""What a start costs: nothing is imported before the first answer that is not needed for it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from converse_emulator import user_cache
from converse_emulator.answering import prose
from converse_emulator.installed import UNKNOWN, version_of
from converse_emulator.shapes import service

SLOW = ["boto3", "botocore", "faker", "hypothesis", "pydantic", "yaml", "starlette", "uvicorn", "rich"]
# Of the standard library what takes milliseconds, and of the emulator what only other runs need.
LIBRARY = ["datetime", "decimal", "difflib", "email", "fractions", "http.client", "importlib.metadata"]
LIBRARY += ["importlib.resources", "tempfile", "uuid"]
OWN = ["admission.credentials", "admission.quotas", "answering.schema_instance", "closed_window", "control"]
OWN += ["dialogue", "framing.header_values", "language.grammar", "language.when", "language.wrap", "native"]
OWN += ["playing.exchange", "playing.spoken", "spelling.blocking", "spelling.wrapping", "wires.http2"]
ABSENT = [*SLOW, *LIBRARY, *(f"converse_emulator.{name}" for name in OWN)]

FIRST_ANSWER = f"""
import socket, sys
from converse_emulator import Emulator
with Emulator() as emulator:
    host, _, port = emulator.endpoint_url.removeprefix("http://").partition(":")
    body = b'{{"messages": [{{"role": "user", "content": [{{"text": "Hi"}}]}}]}}'
    head = "POST /model/amazon.nova-lite-v1:0/converse-stream HTTP/1.1\\r\\nHost: " + host
    with socket.create_connection((host, int(port))) as client:
        client.sendall(f"{{head}}\\r\\nContent-Length: {{len(body)}}\\r\\n\\r\\n".encode() + body)
        response = b""
        while b"metadata" not in response:
            assert (received := client.recv(65_536)), response
            response += received
    assert response.startswith(b"HTTP/1.1 200") and b"messageStop" in response
print(*[name for name in {ABSENT!r} if name in sys.modules])
"""


def imported(folder: Path) -> list[str]:
    """What the first answer of a process imports, with that cache."""
    environment = {**os.environ, "XDG_CACHE_HOME": str(folder)}
    run = [sys.executable, "-c", FIRST_ANSWER]
    printed = subprocess.run(run, check=True, capture_output=True, text=True, env=environment).stdout
    return printed.split()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the cache folder is the user's own")
def test_the_first_answer_needs_nothing_slow_once_the_cache_is_filled(tmp_path: Path) -> None:
    assert "faker" in imported(tmp_path)  # whose words are not known yet
    assert imported(tmp_path) == []
    kept = sorted(path.name for path in tmp_path.glob("converse-emulator/*"))
    assert [name.split("-")[0] for name in kept] == ["bedrock", "words"]
    assert version_of("botocore") in kept[0]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the cache folder is the user's own")
def test_a_cache_that_cannot_be_written_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "converse-emulator").write_text("a file where the folder should be")
    assert "faker" in imported(tmp_path)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(user_cache, "_folder", lambda: tmp_path / "kept")
    return tmp_path / "kept"


def test_what_is_kept_is_found_out_once(folder: Path) -> None:
    asked = []

    def find_out() -> list[int]:
        asked.append(1)
        return [1, 2]

    assert [user_cache.cached("numbers", find_out) for _ in range(3)] == [[1, 2]] * 3
    assert len(asked) == 1
    assert [path.name for path in folder.iterdir()] == ["numbers.json"]


def test_what_is_kept_and_broken_is_found_out_again(folder: Path) -> None:
    folder.mkdir()
    (folder / "numbers.json").write_text("[1,")
    assert user_cache.cached("numbers", lambda: [1, 2]) == [1, 2]
    assert json.loads((folder / "numbers.json").read_text()) == [1, 2]


def test_the_model_that_is_kept_is_botocores_without_its_documentation(folder: Path) -> None:
    service._model.cache_clear()
    fresh, again = service.model(), service._model.__wrapped__(service.SERVICE)
    service._model.cache_clear()
    assert fresh == again
    assert list(folder.iterdir())
    assert "documentation" not in json.dumps({name: fresh["shapes"][name] for name in ("Message", "Tool")})
    assert fresh["operations"]["ConverseStream"]["http"]["method"] == "POST"


def test_the_words_of_the_prose_are_fakers() -> None:
    from faker.providers.lorem.en_US import Provider

    assert set(prose._words()) == set(Provider.word_list)


@pytest.mark.parametrize("package", ["uvicorn", "botocore", "faker"])
def test_a_version_is_that_of_the_package(package: str) -> None:
    from importlib.metadata import version

    assert version_of(package) == version(package)


def test_a_package_that_is_not_there_has_no_version() -> None:
    assert version_of("no_such_package_anywhere") == UNKNOWN
