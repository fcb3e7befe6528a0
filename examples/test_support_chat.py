"""A complete small example: an application's chat function, and what its tests look like with `bedrock`.

The application knows nothing of the emulator: the fixture leads boto3 to it through the environment.
"""

from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from urllib3.exceptions import HTTPError

MODEL = "anthropic.claude-3-haiku-20240307-v1:0"


@dataclass
class Answer:
    """What the application shows."""

    text: str = ""
    complete: bool = False


def ask(prompt: str) -> Answer:
    """The application: stream an answer, keep what arrived, and say whether it is whole."""
    answer = Answer()
    client = boto3.client("bedrock-runtime", config=Config(read_timeout=2, retries={"total_max_attempts": 2}))
    message = {"role": "user", "content": [{"text": prompt}]}
    try:
        for event in client.converse_stream(modelId=MODEL, messages=[message])["stream"]:
            answer.text += event.get("contentBlockDelta", {}).get("delta", {}).get("text", "")
            answer.complete |= "messageStop" in event
    except (ClientError, BotoCoreError, HTTPError):
        answer.complete = False
    finally:
        client.close()
    return answer


def test_an_answer(bedrock: Any) -> None:
    bedrock.play("It renews on 1 March.")
    assert ask("When does it renew?") == Answer("It renews on 1 March.", complete=True)


def test_half_an_answer_is_shown_as_half(bedrock: Any) -> None:
    bedrock.play([{"text": "It renews on "}, "finish"])
    assert ask("When does it renew?") == Answer("It renews on ", complete=False)


def test_a_throttled_call_is_tried_again(bedrock: Any) -> None:
    bedrock.play([{"refuse": "ThrottlingException"}])
    bedrock.play("It renews on 1 March.")
    assert ask("When does it renew?").complete
    assert [exchange.status for exchange in bedrock.journal] == [429, 200]


@pytest.mark.bedrock("resets/after-text")
def test_a_reset_connection_is_survived(bedrock: Any) -> None:
    answer = ask("When does it renew?")
    assert not answer.complete
    assert bedrock.journal.last.text_sent.startswith(answer.text)
