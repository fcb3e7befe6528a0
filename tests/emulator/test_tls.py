"""HTTPS: certificates that clients can trust, HTTP/1.1 or HTTP/2 as they choose, and real clients."""

import builtins
import json
import os
import shutil
import signal
import socket
import ssl
import stat
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiobotocore.session import get_session
from botocore.exceptions import SSLError
from converse_emulator import Emulator
from converse_emulator.cli import main
from converse_emulator.tls import TlsError, authority_folder, client_context, own_tls, users_tls

MODEL = "anthropic.claude-3-haiku-20240307-v1:0"
HI = [{"role": "user", "content": [{"text": "Hi"}]}]


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setattr("platformdirs.user_data_path", lambda name: tmp_path / name)


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator(tls=True) as emulator:
        yield emulator


def text_of(response: dict[str, Any]) -> str:
    deltas = [
        event["contentBlockDelta"]["delta"] for event in response["stream"] if "contentBlockDelta" in event
    ]
    return "".join(delta["text"] for delta in deltas)


# ----------------------------------------------------------------------------------------- the authority


def test_the_authority_is_made_once_and_its_key_is_the_users_alone() -> None:
    first, second = own_tls("localhost", []), own_tls("localhost", [])
    assert first.ca_bundle == second.ca_bundle == authority_folder() / "ca.pem"
    key = authority_folder() / "ca.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert stat.S_IMODE(key.parent.stat().st_mode) == 0o700
    assert sorted(path.name for path in key.parent.parent.iterdir()) == ["authority"]


def test_emulators_that_start_at_the_same_time_share_one_authority() -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: own_tls("localhost", []), range(8)))
    assert sorted(path.name for path in authority_folder().parent.iterdir()) == ["authority"]
    with Emulator(tls=True) as emulator:
        assert emulator.client().converse(modelId=MODEL, messages=HI)["stopReason"] == "end_turn"


def test_an_authority_that_is_broken_is_explained() -> None:
    authority_folder().mkdir(parents=True)
    with pytest.raises(TlsError, match=r"authority in .*authority cannot be used: .*ca\.pem"):
        Emulator(tls=True)
    (authority_folder() / "ca.pem").write_text("no PEM")
    (authority_folder() / "ca.key").write_text("no PEM")
    with pytest.raises(TlsError, match="cannot be used"):
        Emulator(tls=True)


@pytest.mark.parametrize("package", ["trustme", "platformdirs"])
def test_a_missing_package_is_named(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    known = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name == package:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return known(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(TlsError, match=rf"{package} is needed: pip install 'converse-emulator\[tls\]'"):
        Emulator(tls=True)


# ------------------------------------------------------------------------------------ the certificates


@pytest.mark.parametrize(
    "name", ["localhost", "127.0.0.1", "bedrock", "bedrock-runtime.us-east-1.amazonaws.com"]
)
@pytest.mark.parametrize(("offered", "chosen"), [(["h2", "http/1.1"], "h2"), (["http/1.1"], "http/1.1")])
def test_whatever_it_is_called_by_it_has_a_certificate(
    emulator: Emulator, name: str, offered: list[str], chosen: str
) -> None:
    context = ssl.create_default_context(cafile=emulator.ca_bundle)
    context.set_alpn_protocols(offered)
    port = int(emulator.endpoint_url.rpartition(":")[2])
    with (
        socket.create_connection(("127.0.0.1", port), timeout=10) as connection,
        context.wrap_socket(connection, server_hostname=name) as secured,
    ):
        assert secured.selected_alpn_protocol() == chosen


def test_who_does_not_trust_the_authority_gets_nothing(
    emulator: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    import boto3

    client = boto3.client(
        "bedrock-runtime",
        endpoint_url=emulator.endpoint_url,
        region_name="us-east-1",
        aws_access_key_id="default",
        aws_secret_access_key="dummy",
    )
    with pytest.raises(SSLError, match="certificate verify failed"):
        client.converse(modelId=MODEL, messages=HI)
    assert len(emulator.journal) == 0
    assert "the client does not trust the certificate; tell it the file" in caplog.text


def test_who_comes_without_tls_is_told_of_it(emulator: Emulator, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises((urllib.error.URLError, ConnectionError)):
        urllib.request.urlopen(emulator.endpoint_url.replace("https", "http"), timeout=10)
    assert "the client speaks HTTP without TLS; the URL begins with https://" in caplog.text


def test_a_certificate_of_the_users_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = trustme.CA()
    leaf = authority.issue_cert("127.0.0.1")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    leaf.private_key_pem.write_to_path(tmp_path / "key.pem")
    leaf.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    monkeypatch.setenv("AWS_CA_BUNDLE", str(tmp_path / "ca.pem"))
    with Emulator(tls=(tmp_path / "cert.pem", tmp_path / "key.pem")) as emulator:
        assert emulator.ca_bundle is None
        assert emulator.client().converse(modelId=MODEL, messages=HI)["stopReason"] == "end_turn"


def test_a_certificate_that_does_not_hold_is_explained(tmp_path: Path) -> None:
    (tmp_path / "cert.pem").write_text("nothing")
    with pytest.raises(TlsError, match=r"cert\.pem and .*key\.pem are not a certificate and its key in PEM"):
        users_tls(tmp_path / "cert.pem", tmp_path / "key.pem", [])


# ---------------------------------------------------------------------------------------------- clients


def test_boto3(emulator: Emulator) -> None:
    emulator.session("mine").play("Hello over TLS")
    client = emulator.session("mine").client()
    assert text_of(client.converse_stream(modelId=MODEL, messages=HI)) == "Hello over TLS"
    assert emulator.endpoint_url.startswith("https://127.0.0.1:")


def test_boto3_with_an_api_key_which_it_sends_over_https_only(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    import boto3

    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "bedrock-api-key-dummy")
    monkeypatch.setenv("AWS_CA_BUNDLE", str(emulator.ca_bundle))
    client = boto3.client("bedrock-runtime", endpoint_url=emulator.endpoint_url, region_name="us-east-1")
    assert client.converse(modelId=MODEL, messages=HI)["stopReason"] == "end_turn"
    headers = emulator.journal.last.request["headers"]
    assert headers["authorization"] == "Bearer [redacted]"


async def _aiobotocore_text(emulator: Emulator) -> str:
    async with get_session().create_client(
        "bedrock-runtime",
        endpoint_url=emulator.endpoint_url,
        region_name="us-east-1",
        aws_access_key_id="default",
        aws_secret_access_key="dummy",
        verify=str(emulator.ca_bundle),
    ) as client:
        response = await client.converse_stream(modelId=MODEL, messages=HI)
        events = [event async for event in response["stream"]]
    return text_of({"stream": events})


def test_aiobotocore(emulator: Emulator) -> None:
    import asyncio

    emulator.play("Hello over TLS")
    assert asyncio.run(_aiobotocore_text(emulator)) == "Hello over TLS"


@pytest.mark.parametrize(("option", "version"), [("--http1.1", "1.1"), ("--http2", "2")])
def test_curl(emulator: Emulator, option: str, version: str) -> None:
    curl = shutil.which("curl")
    if curl is None:
        pytest.skip("there is no curl here")
    if (
        option == "--http2"
        and "HTTP2" not in subprocess.run([curl, "-V"], capture_output=True, text=True).stdout
    ):
        pytest.skip("this curl has no HTTP/2")
    url, body = f"{emulator.endpoint_url}/model/{MODEL}/converse", json.dumps({"messages": HI})
    done = subprocess.run(
        [
            curl,
            "-sS",
            option,
            "--cacert",
            str(emulator.ca_bundle),
            "-w",
            "\n%{http_version}",
            "-d",
            body,
            url,
        ],
        capture_output=True,
        text=True,
        env={**os.environ, "NO_PROXY": "127.0.0.1"},
    )
    assert done.stderr == ""
    body, _, spoken = done.stdout.rpartition("\n")
    assert (json.loads(body)["stopReason"], spoken) == ("end_turn", version)


# ------------------------------------------------------------------------------------- the command line


def test_serve_tells_whom_to_trust(tmp_path: Path) -> None:
    code = "import sys; from converse_emulator.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", code, "serve", "--tls"]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "XDG_DATA_HOME": str(tmp_path / "of-its-own")},
    ) as process:
        assert process.stdout
        try:
            ready, url = process.stdout.readline().split()
            word, path = process.stdout.readline().rstrip("\n").split(" ", 1)
        finally:
            process.send_signal(signal.SIGTERM)
    assert (ready, url[:18], word) == ("ready", "https://127.0.0.1:", "ca")
    assert Path(path).read_text().startswith("-----BEGIN CERTIFICATE-----")
    assert process.returncode == 0


def test_serve_needs_certificate_and_key_together(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--tls-cert", "cert.pem"]) == 2
    assert "--tls-cert FILE and --tls-key FILE belong together" in capsys.readouterr().err


def test_journal_and_lint_trust_the_machines_own_authority(
    emulator: Emulator, capsys: pytest.CaptureFixture[str]
) -> None:
    emulator.client().converse(modelId=MODEL, messages=HI)
    assert main(["journal", emulator.endpoint_url]) == 0
    assert "Converse" in capsys.readouterr().out
    assert main(["lint", emulator.endpoint_url]) == 0


def test_without_an_authority_clients_trust_whom_the_machine_trusts() -> None:
    assert client_context().verify_mode is ssl.CERT_REQUIRED
    assert not authority_folder().exists()


def test_control_routes_refuse_pages_of_the_same_host_without_tls(emulator: Emulator) -> None:
    import http.client

    host = emulator.endpoint_url.removeprefix("https://")
    statuses = []
    for scheme in ("https", "http"):
        connection = http.client.HTTPSConnection(host, context=client_context())
        connection.request("GET", "/_emulator/health", headers={"Origin": f"{scheme}://{host}"})
        statuses.append(connection.getresponse().status)
        connection.close()
    assert statuses == [200, 403]
