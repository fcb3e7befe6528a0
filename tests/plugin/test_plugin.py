"""The plugin in test suites of its users, run by pytester.

An inner run is a process of its own, which takes seconds: so there are few of them, with many tests each. In
this process pytester would forget what such a run imports, and later tests would have modules twice.
"""

import os
import subprocess
import sys

import pytest

pytest_plugins = ["pytester"]

ASK = """
import boto3, contextlib, pytest

def ask(client, text="Hi"):
    messages = [{"role": "user", "content": [{"text": text}]}]
    answer = client.converse_stream(modelId="amazon.nova-micro-v1:0", messages=messages)
    with contextlib.closing(answer["stream"]) as stream:
        events = [*stream]
    deltas = [event["contentBlockDelta"]["delta"] for event in events if "contentBlockDelta" in event]
    return "".join(delta.get("text", "") for delta in deltas)

def application():
    return ask(boto3.Session().client("bedrock-runtime"))
"""

GOOD = """
def test_what_is_played_is_answered(bedrock):
    bedrock.play("Hello")
    bedrock.play([{"text": "Bye"}])
    client = bedrock.client()
    assert [ask(client), ask(client)] == ["Hello", "Bye"]
    assert bedrock.journal.last.text_sent == "Bye"

def test_an_unchanged_application_is_led_here(bedrock):
    bedrock.play("Hello")
    assert application() == "Hello"
    assert "x-amz-security-token" not in bedrock.journal.last.request["headers"]

def test_the_lists_of_models_are_led_here(bedrock):
    assert boto3.Session().client("bedrock").list_foundation_models()["modelSummaries"]

@pytest.mark.bedrock("exceptions/throttling")
def test_a_marker_arms_a_scenario_and_brings_the_fixture():
    with pytest.raises(Exception, match="throttlingException"):
        application()

class TestClass:
    pytestmark = pytest.mark.bedrock("text/short-answer")

    @pytest.mark.bedrock("exceptions/throttling")
    @pytest.mark.bedrock("truncation/clean-end")
    def test_several_markers_queue_up_from_above(self, bedrock):
        for _ in range(3):
            try:
                application()
            except Exception:
                pass
        assert [exchange.scenario for exchange in bedrock.journal] == [
            "text/short-answer", "exceptions/throttling", "truncation/clean-end"
        ]

@pytest.mark.bedrock("mine.yaml")
def test_a_marker_may_name_a_file():
    assert application() == "From a file."

@pytest.mark.parametrize("number", range(3))
def test_tests_do_not_see_each_other(bedrock, number):
    assert len(bedrock.journal) == 0
    bedrock.play(f"Answer {number}")
    assert application() == f"Answer {number}"
    assert len(bedrock.journal) == 1
"""

BAD = """
def test_miss(bedrock):
    with pytest.raises(Exception):
        ask(bedrock.client(), "Hi [[scenario: exceptions/throtling]]")

def test_unused(bedrock):
    bedrock.play("Hello")

def test_too_many(bedrock):
    bedrock.play("Hello")
    application()
    with pytest.raises(Exception, match="Nothing is left"):
        application()

@pytest.mark.parametrize("n", range(4))
@pytest.mark.bedrock()
def test_no_name(bedrock, n): ...

@pytest.mark.bedrock("a", "b")
def test_two_names(bedrock): ...

@pytest.mark.bedrock(scenario="a")
def test_keyword(bedrock): ...

@pytest.mark.bedrock("exceptions/throtling")
def test_unknown_name(bedrock): ...
"""


def run(pytester: pytest.Pytester, code: str, *args: str) -> pytest.RunResult:
    pytester.makepyfile(ASK + code)
    return pytester.runpytest_subprocess("-p", "no:cacheprovider", "--strict-markers", *args)


def test_a_suite_that_uses_it(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the developer's environment says."""
    for name, value in {
        "AWS_PROFILE": "work",
        "AWS_BEARER_TOKEN_BEDROCK": "ABSK",
        "AWS_SESSION_TOKEN": "IQoJb3Jp",
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
        "HTTP_PROXY": "http://127.0.0.1:9",
    }.items():
        monkeypatch.setenv(name, value)
    pytester.makefile(".yaml", mine="From a file.")
    run(pytester, GOOD).assert_outcomes(passed=9)
    assert os.environ["AWS_PROFILE"] == "work"


def test_a_suite_whose_tests_do_not_go_as_planned(pytester: pytest.Pytester) -> None:
    result = run(pytester, BAD)
    result.assert_outcomes(passed=3, errors=3 + 4 + 3)
    result.stdout.fnmatch_lines(
        [
            "*ERROR at teardown of test_miss*",
            "*No scenario is called 'exceptions/throtling'*Nearest: exceptions/throttling*",
            "*ERROR at teardown of test_unused*",
            "*play() * not asked for*",
            "*ERROR at teardown of test_too_many*",
            "*Nothing is left*",
            "*ERROR at setup of test_no_name*",
            "*usage: @pytest.mark.bedrock('topic/name')*",
            "*ERROR at setup of test_two_names*",
            "*usage: @pytest.mark.bedrock('topic/name')*",
            "*ERROR at setup of test_keyword*",
            "*usage: @pytest.mark.bedrock('topic/name')*",
            "*ERROR at setup of test_unknown_name*",
            "*No scenario is called 'exceptions/throtling'*",
        ]
    )
    result.stdout.no_fnmatch_line("*During handling*")


def test_it_works_under_xdist(pytester: pytest.Pytester) -> None:
    code = """
@pytest.mark.parametrize("number", range(6))
def test_it(bedrock, number):
    bedrock.play(f"Answer {number}")
    assert application() == f"Answer {number}"
"""
    run(pytester, code, "-n", "2").assert_outcomes(passed=6)


def test_the_configuration_says_how_requests_are_judged(pytester: pytest.Pytester) -> None:
    pytester.makefile(".yaml", models="aliases: {mine: amazon.nova-micro-v1:0}\nwaive: [first-message]\n")
    pytester.makeini("[pytest]\nbedrock_models = models.yaml\n")
    code = """
def said(bedrock, model_id):
    bedrock.play("Hello")
    messages = [{"role": role, "content": [{"text": "Hi"}]} for role in ("assistant", "user")]
    return bedrock.client().converse(modelId=model_id, messages=messages)["output"]["message"]

def test_a_model_of_ones_own(bedrock):
    assert said(bedrock, "mine")

def test_any_model(bedrock, pytestconfig):
    if pytestconfig.getini("bedrock_validation") == "model":
        assert said(bedrock, "does-not-exist")
"""
    run(pytester, code).assert_outcomes(passed=2)
    run(pytester, code, "-o", "bedrock_validation=model").assert_outcomes(passed=2)


def test_the_marker_is_documented(pytester: pytest.Pytester) -> None:
    result = pytester.runpytest_subprocess("--markers")
    result.stdout.fnmatch_lines(["@pytest.mark.bedrock(scenario): *"])


def test_a_suite_that_does_not_use_it_does_not_pay_for_it() -> None:
    """Importing the plugin imports nothing but pytest and what that has imported anyway."""
    code = (
        "import sys, pytest; before = set(sys.modules); import pytest_converse.plugin; "
        "print(*sorted({name.split('.')[0] for name in set(sys.modules) - before}))"
    )
    printed = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert printed.split() == ["pytest_converse"]
