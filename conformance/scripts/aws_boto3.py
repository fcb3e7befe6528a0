"""boto3: `converse_stream` of a client with all defaults."""

import boto3
from common import REGION, Seen, main
from converse import Conversation


def talk(endpoint: str, seen: Seen) -> None:
    client = boto3.client("bedrock-runtime", endpoint_url=endpoint, region_name=REGION)
    conversation = Conversation(seen)
    for request in conversation:
        for event in client.converse_stream(**request)["stream"]:
            conversation.event(event)


main(talk)
