"""`bedrock`: a Bedrock runtime for one test, and the marker that arms a scenario for it.

    def test_a_cut_answer_is_reported(bedrock):
        bedrock.play([{"text": "Your subscription renews on "}, {"throw": "throttlingException"}])
        assert my_chat("When does it renew?").failed

Every test suite with this plugin installed pays for the imports here, so there are none but pytest.
"""

import itertools
import os
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from converse_emulator import Emulator, Session

MARKER = (
    "bedrock(scenario): arm a scenario, by its name in the library or by a file's path, for the test's "
    "`bedrock`; several markers queue up, the upper one first."
)
DUMMIES = {
    "AWS_ACCESS_KEY_ID": "default",
    "AWS_SECRET_ACCESS_KEY": "dummy",
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}
# Each of them would lead clients of the application elsewhere, or lend them real credentials.
DELETED = (
    "AWS_BEARER_TOKEN_BEDROCK",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_PROFILE",
    "AWS_SESSION_TOKEN",
)

_numbers = itertools.count(1)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini(
        "bedrock_validation", "how `bedrock` judges requests: strict, model or off", default="strict"
    )
    parser.addini("bedrock_models", "a model catalogue for `bedrock` (YAML), from the root directory")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", MARKER)


def pytest_itemcollected(item: pytest.Item) -> None:
    """The marker brings the fixture: an application that reads the environment needs no more."""
    if isinstance(item, pytest.Function) and item.get_closest_marker("bedrock"):
        item.fixturenames[:] = dict.fromkeys((*item.fixturenames, "bedrock"))


@pytest.fixture(scope="session")
def _bedrock_emulator(pytestconfig: pytest.Config) -> Iterator["Emulator"]:
    from converse_emulator import Emulator

    models = pytestconfig.getini("bedrock_models")
    with Emulator(
        validation=pytestconfig.getini("bedrock_validation"),
        models=pytestconfig.rootpath / models if models else None,
    ) as emulator:
        yield emulator


@pytest.fixture
def bedrock(
    _bedrock_emulator: "Emulator", request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator["Session"]:
    """A Bedrock runtime of the test's own: `play`, `client`, `endpoint_url`, `journal`, `open_gate`.

    The environment leads AWS SDKs to it with dummy credentials. The test fails at its end if a request came
    that nothing was written for, or if something armed was not asked for.
    """
    name = re.sub(r"[^\w.-]+", "-", request.node.name, flags=re.ASCII)[:60]
    session = _bedrock_emulator.session(f"{name}.{next(_numbers)}")
    _point_to(session.endpoint_url, monkeypatch)
    for marker in reversed(list(request.node.iter_markers("bedrock"))):
        _arm(session, marker)
    yield session
    problem = _problem_of(session)
    session.reset()
    if problem:
        pytest.fail(problem, pytrace=False)


def _point_to(endpoint_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in DUMMIES.items():
        monkeypatch.setenv(name, value)
    for name in DELETED:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", endpoint_url)
    monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK", endpoint_url)  # the lists of models
    direct = [value for value in (os.environ.get("NO_PROXY"), "127.0.0.1") if value]
    monkeypatch.setenv("NO_PROXY", ",".join(direct))


def _problem_of(session: "Session") -> str | None:
    from converse_emulator import VerifyError

    try:
        session.verify()
    except VerifyError as error:
        return str(error)
    return None


def _arm(session: "Session", marker: pytest.Mark) -> None:
    from converse_emulator import EmulatorError

    if len(marker.args) != 1 or marker.kwargs or not isinstance(marker.args[0], str):
        pytest.fail("usage: @pytest.mark.bedrock('topic/name')", pytrace=False)
    try:
        session.play(scenario=marker.args[0])
        problem = None
    except EmulatorError as error:
        problem = str(error)
    if problem:
        pytest.fail(f"@pytest.mark.bedrock({marker.args[0]!r}): {problem}", pytrace=False)
