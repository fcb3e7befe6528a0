"""aiobotocore: `converse_stream` of a client with all defaults."""

from aiobotocore.session import get_session
from common import REGION, Seen, main
from converse import Conversation


async def talk(endpoint: str, seen: Seen) -> None:
    creating = get_session().create_client("bedrock-runtime", endpoint_url=endpoint, region_name=REGION)
    async with creating as client:
        conversation = Conversation(seen)
        for request in conversation:
            response = await client.converse_stream(**request)
            async for event in response["stream"]:
                conversation.event(event)


main(talk)
