"""The AWS CLI: `aws bedrock-runtime converse`. It has no command that streams."""

import json
import os
import subprocess
import sys
from pathlib import Path

from common import Seen, main
from converse import Conversation

AWS = str(Path(sys.executable).with_name("aws"))


class CommandFailed(Exception):
    """The command ended with an exit status other than 0; the text is what it printed."""


def talk(endpoint: str, seen: Seen) -> None:
    conversation = Conversation(seen)
    for request in conversation:
        command = [AWS, "bedrock-runtime", "converse", "--cli-input-json", json.dumps(request)]
        done = subprocess.run(
            [*command, "--endpoint-url", endpoint, "--output", "json"],
            capture_output=True,
            text=True,
            env={**os.environ, "AWS_PAGER": ""},
        )
        if done.returncode:
            raise CommandFailed(done.stderr.strip())
        conversation.answer(json.loads(done.stdout or "{}"))  # it may print nothing and say that all is well


main(talk)
