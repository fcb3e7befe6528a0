"""The in-process emulator as a test uses it, with real boto3."""

import asyncio
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import converse_emulator
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, EventStreamError
from converse_emulator import Emulator, EmulatorError, ScenarioError, Session, UnknownScenario, VerifyError

MESSAGES = [{"role": "user", "content": [{"text": "Hi"}]}]


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as running:
        yield running


def ask(session: Session, prompt: str = "Hi", **options: Any) -> str:
    """The text of a streamed answer."""
    messages = [{"role": "user", "content": [{"text": prompt}]}]
    response = session.client(**options).converse_stream(modelId="amazon.nova-micro-v1:0", messages=messages)
    with closing(response["stream"]) as stream:
        return "".join(
            event["contentBlockDelta"]["delta"]["text"] for event in stream if "contentBlockDelta" in event
        )


# -------------------------------------------------------------------------------------------- play


def test_a_string_is_the_answer(emulator: Emulator) -> None:
    emulator.play("Hello")
    assert ask(emulator) == "Hello"
    emulator.verify()


def test_a_list_is_a_replys_steps(emulator: Emulator) -> None:
    emulator.play([{"text": "Hi"}, {"throw": "throttlingException"}])
    with pytest.raises(EventStreamError, match="throttlingException"):
        ask(emulator)
    emulator.play([{"text": "Cut"}, "finish"])
    assert ask(emulator) == "Cut"


def test_several_calls_queue_up(emulator: Emulator) -> None:
    emulator.play("One")
    emulator.play("Two")
    assert [ask(emulator), ask(emulator)] == ["One", "Two"]


def test_an_sdks_retries_are_attempts_of_one_call(emulator: Emulator) -> None:
    throttled = [{"when": {"attempts": 2}, "reply": [{"refuse": "ThrottlingException"}]}]
    emulator.play("Hello", instead=throttled)
    assert ask(emulator, retries={"total_max_attempts": 3}) == "Hello"
    exchanges = emulator.journal.wait(3, timeout=30)
    assert [each.instead for each in exchanges] == [1, 1, None]
    assert len({each.invocation_id for each in exchanges}) == 1
    emulator.verify()


def test_a_wrap_comes_from_the_request_the_arming_or_the_emulator() -> None:
    with Emulator(wrap="cut=0.5,end=finish") as bedrock:
        bedrock.play("Your plan renews on 1 March.", wrap={"slow": 2})
        assert ask(bedrock) == "Your plan renews on 1 March."
        bedrock.play("Your plan renews on 1 March.")
        assert ask(bedrock) != "Your plan renews on 1 March."
        messages = [{"role": "user", "content": [{"text": "Hi"}]}]
        client = bedrock.client(retries={"total_max_attempts": 1})
        bedrock.play("Not used up by what is throttled.")

        def throttle(params: dict[str, Any], **_: Any) -> None:
            params["headers"]["x-converse-wrap"] = "throttle=1"

        client.meta.events.register("before-call.bedrock-runtime.Converse", throttle)
        with pytest.raises(ClientError, match="ThrottlingException"):
            client.converse(modelId="amazon.nova-micro-v1:0", messages=messages)
        wraps = [(each.wrap, each.instead) for each in bedrock.journal]
        assert wraps == [("slow=2.0", None), ("cut=0.5,end=finish", None), ("throttle=1.0", 0)]


def test_a_scenario_of_the_library_by_name(emulator: Emulator) -> None:
    emulator.play(scenario="exceptions/throttling")
    with pytest.raises(EventStreamError):
        ask(emulator)
    assert emulator.journal.last.scenario == "exceptions/throttling"


@pytest.mark.parametrize("kind", [str, Path])
def test_a_scenario_of_a_file_by_path(emulator: Emulator, tmp_path: Path, kind: type) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("From a file.")
    emulator.play(scenario=kind(file))
    assert ask(emulator) == "From a file."


def test_folders_of_scenarios_are_part_of_the_library(tmp_path: Path) -> None:
    (tmp_path / "topic").mkdir()
    (tmp_path / "topic" / "mine.yaml").write_text(
        "{title: Mine, handlers: Show it, match: {prompt: refund}, reply: About the refund.}"
    )
    Emulator(str(tmp_path))
    with Emulator([tmp_path]) as emulator:
        assert ask(emulator, "My refund?") == "About the refund."
        assert emulator.journal.last.scenario == "topic/mine"
        emulator.play(scenario="topic/mine", match={"prompt": "other"})
        assert ask(emulator, "The other thing") == "About the refund."


def test_what_does_not_match_is_a_miss(emulator: Emulator) -> None:
    emulator.play("Hello", match={"prompt": "refund"})
    with pytest.raises(ClientError, match="prompt: wanted refund"):
        ask(emulator)
    with pytest.raises(VerifyError, match=r"(?s)Miss: .*wanted refund.*Not asked for: .*play\(\)"):
        emulator.verify()


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        ({}, ScenarioError, "reply"),
        ({"reply": 5}, ScenarioError, "5"),
        ({"reply": [{"tekst": "Hi"}]}, ScenarioError, "text"),
        ({"reply": "Hi", "scenario": "text/short-answer"}, ScenarioError, "scenario"),
        ({"reply": "Hi", "match": {"promt": "x"}}, ScenarioError, "prompt"),
        ({"scenario": "text/short-answer", "match": {"promt": "x"}}, ScenarioError, "prompt"),
        ({"scenario": "text/shortanswer"}, UnknownScenario, "text/short-answer"),
        ({"scenario": "missing.yaml"}, ScenarioError, "missing.yaml"),
    ],
)
def test_what_cannot_be_played_is_explained(
    emulator: Emulator, arguments: dict[str, Any], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        emulator.play(**arguments)


# ------------------------------------------------------------------------------------------ verify


def test_verify_tells_what_was_not_asked_for_and_where_requests_went(emulator: Emulator) -> None:
    emulator.session("other").play("Hello")
    assert ask(emulator.session("other")) == "Hello"
    emulator.verify()
    emulator.play("Hello")
    with pytest.raises(VerifyError, match=r"(?s)Not asked for.*play\(\).*Requests came for other; .*http://"):
        emulator.verify()
    assert issubclass(VerifyError, AssertionError)
    assert issubclass(VerifyError, EmulatorError)


def test_reset_forgets(emulator: Emulator) -> None:
    emulator.play("Hello")
    emulator.session("other").play("Hello")
    emulator.open_gate("g")
    emulator.session("other").reset()
    emulator.session("other").verify()
    with pytest.raises(VerifyError):
        emulator.verify()
    emulator.reset()
    emulator.verify()


# ---------------------------------------------------------------------------------------- sessions


def test_sessions_do_not_see_each_other(emulator: Emulator) -> None:
    names = ["a", "b b", "c/c", "d?d=1#d", "ü"]
    for name in names:
        emulator.session(name).play(f"For {name}")
    with ThreadPoolExecutor() as pool:
        answers = pool.map(lambda name: ask(emulator.session(name)), names)
    assert list(answers) == [f"For {name}" for name in names]
    assert [len(emulator.session(name).journal) for name in names] == [1] * len(names)
    assert len(emulator.journal) == len(names)
    assert [emulator.session(name).journal.last.session for name in names] == names


# ----------------------------------------------------------------------------------------- journal


def test_the_journal_is_a_sequence(emulator: Emulator) -> None:
    with pytest.raises(LookupError, match="no request has come"):
        _ = emulator.journal.last
    for number in range(3):
        emulator.play(f"Answer {number}")
        ask(emulator)
    journal = emulator.journal
    assert len(journal) == 3
    assert [each.text_sent for each in journal] == ["Answer 0", "Answer 1", "Answer 2"]
    assert journal[-1] == journal.last == journal[2]
    assert journal[1:] == [journal[1], journal[2]]
    with pytest.raises(IndexError):
        _ = journal[3]
    assert repr(emulator.session("x").journal) == "<0 exchanges of session 'x'>"


def test_waiting_for_the_journal(emulator: Emulator) -> None:
    session = emulator.session("tests")
    session.play([{"text": "A"}, {"gate": "one"}, {"text": "B"}])
    with ThreadPoolExecutor() as pool:
        asking = pool.submit(ask, session)
        with pytest.raises(TimeoutError, match=r"waited 0\.2 s for 1 ended exchanges of session 'tests'"):
            session.journal.wait(timeout=0.2)
        session.open_gate("one")
        (exchange,) = session.journal.wait(timeout=30)
        assert asking.result() == exchange.text_sent == "AB"
    with pytest.raises(TimeoutError, match="there are 1, and 0 still open"):
        session.journal.wait(2, timeout=0.01)


def test_the_journal_stays_when_the_emulator_has_stopped() -> None:
    with Emulator() as emulator:
        emulator.play("Hello")
        ask(emulator)
    assert [each.text_sent for each in emulator.journal.wait()] == ["Hello"]
    emulator.stop()


def test_stopping_ends_what_runs() -> None:
    with Emulator() as emulator:
        emulator.play([{"text": "A"}, {"wait": "forever"}])
        client = emulator.client(retries={"total_max_attempts": 1})
        response = client.converse_stream(modelId="amazon.nova-micro-v1:0", messages=MESSAGES)
        stream = iter(response["stream"])
        while "contentBlockDelta" not in next(stream):
            pass
    assert (emulator.journal.last.state, emulator.journal.last.ended) == ("done", "stopped")
    response["stream"].close()


def test_a_client_that_closes_its_stream_is_journaled(emulator: Emulator) -> None:
    emulator.play([{"text": "one two three four five six", "every": "200ms", "split": "words"}])
    response = emulator.client().converse_stream(modelId="amazon.nova-micro-v1:0", messages=MESSAGES)
    stream = iter(response["stream"])
    while "contentBlockDelta" not in next(stream):
        pass
    response["stream"].close()
    (exchange,) = emulator.journal.wait(timeout=30)
    assert exchange.ended == "client left"
    assert exchange.tokens_unsent > 0
    assert "one two three four five six".startswith(exchange.text_sent)


# ----------------------------------------------------------------------------------------- clients


def test_the_clients_configuration_can_be_given(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing of the developer's environment leads it astray."""
    monkeypatch.setenv("AWS_PROFILE", "missing")
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "ABSK")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    assert emulator.client(read_timeout=3).meta.config.read_timeout == 3
    given = emulator.client(config=Config(read_timeout=4), connect_timeout=5).meta.config
    assert (given.read_timeout, given.connect_timeout) == (4, 5)
    emulator.play("Hello")
    assert ask(emulator, config=Config(user_agent_extra="mine/1")) == "Hello"
    assert "mine/1" in emulator.journal.last.user_agent
    assert emulator.journal.last.request["headers"]["authorization"] == "AWS4-HMAC-SHA256 [redacted]"


def test_clients_can_be_made_in_many_threads(emulator: Emulator) -> None:
    for _ in range(8):
        emulator.play("Hello")
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda _: ask(emulator), range(8))) == ["Hello"] * 8


def test_it_can_be_used_from_a_coroutine(emulator: Emulator) -> None:
    async def test() -> str:
        emulator.play("Hello")
        answer = await asyncio.to_thread(ask, emulator)
        assert emulator.journal.wait()[-1].ended == "finished"
        return answer

    assert asyncio.run(test()) == "Hello"


# ------------------------------------------------------------------------------------------- start


def test_mistakes_in_a_folder_are_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("{title: Bad, handlers: None, reply: [{tekst: Hi}]}")
    with pytest.raises(ScenarioError, match=r"bad\.yaml:1:"):
        Emulator([tmp_path])
    with pytest.raises(ScenarioError, match="no such folder"):
        Emulator([tmp_path / "missing"])


@pytest.mark.parametrize("speed", [0, -1, float("nan")])
def test_a_speed_is_positive(speed: float) -> None:
    with pytest.raises(ValueError, match="more than 0"):
        Emulator(speed=speed)


def test_it_leaves_no_thread() -> None:
    before = threading.active_count()
    with Emulator():
        assert threading.active_count() == before + 1
    assert threading.active_count() == before


# ------------------------------------------------------------------------------------ public names


def test_the_public_names() -> None:
    assert converse_emulator.__all__ == [
        "Emulator",
        "EmulatorError",
        "Exchange",
        "Library",
        "Miss",
        "Scenario",
        "ScenarioError",
        "Session",
        "UnknownScenario",
        "VerifyError",
    ]
    assert all(getattr(converse_emulator, name) for name in converse_emulator.__all__)
    with pytest.raises(AttributeError, match="nothing"):
        _ = converse_emulator.nothing


@pytest.mark.parametrize(
    ("code", "absent"),
    [
        ("import converse_emulator", ["asyncio", "uvicorn", "boto3", "yaml"]),
        (
            "from converse_emulator import Emulator",
            ["boto3", "botocore", "faker", "yaml", "starlette", "rich"],
        ),
        (
            "from converse_emulator import Emulator\nwith Emulator(): pass",
            ["boto3", "botocore", "faker", "yaml", "starlette", "rich"],
        ),
    ],
)
def test_what_is_not_needed_is_not_imported(code: str, absent: list[str]) -> None:
    code += f"\nimport sys\nprint(*[name for name in {absent!r} if name in sys.modules])"
    printed = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert printed.split() == []
