"""Answers over AppSync Events as AWS's own client hears them, word by word: aws-amplify, unmodified."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from converse_emulator import Session

from tests.handler.appsync_peers import event_api, settings_for
from tests.hops.real_peers import folder_of_peer

SCRIPT = Path(__file__).with_name("amplify_chat.mjs")


def test_every_word_is_heard_before_the_next_one_is_made(serve: Callable[..., str], bedrock: Session) -> None:
    folder = folder_of_peer("aws-amplify")
    shutil.copy(SCRIPT, folder)  # Node looks for packages beside the script
    words = [f"word{number} " for number in range(6)]
    bedrock.play([step for word in words for step in ({"text": word}, {"gate": "heard"})])
    with event_api() as api:
        command = ["node", str(folder / SCRIPT.name), serve(**settings_for(api)), f"{api.url}/event"]
        heard: list[Any] = []
        text = ""
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout
            for line in process.stdout:
                heard.append(event := json.loads(line))
                text += event.get("delta", {}).get("text", "")
                if words and text.endswith(words[0]):
                    words.pop(0)
                    bedrock.open_gate("heard")
        assert process.returncode == 0
    assert text == "".join(f"word{number} " for number in range(6))
    assert [event["seq"] for event in heard] == list(range(1, len(heard) + 1))
    assert heard[-1]["type"] == "message_stop"
