"""clients.toml, expected.toml and docs/clients.md fit together; nothing is installed or run for that."""

import tomllib

import pytest
from converse_emulator import Library

from conformance import table
from conformance.clients import Client, load_clients
from conformance.conditions import CONDITIONS
from conformance.environments import SCRIPTS
from conformance.expectations import FILE, load_expectations, written
from conformance.outcome import Outcome, outcome_of_table

CLIENTS = load_clients()
EXPECTED = load_expectations()

# The clients that the project promises to try.
PROMISED = {
    "boto3",
    "aiobotocore",
    "aws-sdk-bedrock-runtime",
    "@aws-sdk/client-bedrock-runtime",
    "awscli",
    "langchain-aws",
    "strands-agents",
    "pydantic-ai-slim[bedrock]",
    "litellm",
    "llama-index-llms-bedrock-converse",
    "amazon-bedrock-haystack",
    "instructor",
    "anthropic[bedrock]",
    "@ai-sdk/amazon-bedrock",
    "@langchain/aws",
    "@anthropic-ai/bedrock-sdk",
}


def test_every_promised_client_is_there() -> None:
    assert {client.name for client in CLIENTS.values()} == PROMISED


def test_every_package_is_pinned_and_every_script_there() -> None:
    for client in CLIENTS.values():
        separator = "@" if client.kind == "node" else "=="
        assert all(package.rpartition(separator)[2][:1].isdecimal() for package in client.packages), client.id
        assert (SCRIPTS / client.script).exists()


def test_every_condition_is_a_scenario_of_the_library() -> None:
    assert {condition.scenario for condition in CONDITIONS.values()} <= set(Library().names())


def test_something_is_expected_of_every_client_in_every_condition() -> None:
    expected = {client: tuple(outcomes) for client, outcomes in EXPECTED.items()}
    assert expected == {client.id: client.conditions for client in CLIENTS.values()}


@pytest.mark.parametrize("client", CLIENTS.values(), ids=lambda client: client.id)
def test_every_client_works_against_the_emulator(client: Client) -> None:
    text, tools = EXPECTED[client.id]["text"], EXPECTED[client.id]["tools"]
    assert (text.text, text.error, text.requests) == ("Your subscription renews on 1 March.", "", 1)
    assert tools.tools == ({"name": "lookup_subscription", "input": {"customer_id": "C-100"}},)
    assert tools.error == ""
    if client.name != "instructor":  # it takes the call for the answer
        assert tools.text == "Let me look that up. Your subscription renews on 1 March."


def test_the_page_is_up_to_date() -> None:
    assert table.PAGE.read_text(encoding="utf-8") == table.page()


def test_what_is_expected_is_written_as_it_is_read() -> None:
    assert FILE.read_text(encoding="utf-8") == written(EXPECTED)


def test_any_text_can_be_written() -> None:
    outcome = Outcome(
        text='"quoted" \\ back\nline \x7f é 🌍',
        tools=({"name": "t", "input": {"a-b c": [1, 2.5, True, {"x": "y"}]}},),
        requests=3,
    )
    told = tomllib.loads(written({"client": {"text": outcome}}))["client"]["text"]
    assert outcome_of_table(told) == outcome
