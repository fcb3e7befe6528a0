"""The smithy-python SDK: a session with Nova Sonic, over the CRT, its transport that streams both ways."""

import asyncio
import json
import os
from typing import Any

from aws_sdk_bedrock_runtime import models
from aws_sdk_bedrock_runtime.client import AsyncBedrockRuntimeClient
from aws_sdk_bedrock_runtime.config import AsyncBedrockRuntimeConfig
from awscrt.io import ClientTlsContext, TlsContextOptions
from common import PROMPT, REGION, TOOL, TOOL_SCHEMA, TOOL_TEXT, Seen, lookup_subscription, main
from smithy_http.aio.crt import AWSCRTHTTPClient

MODEL = "amazon.nova-2-sonic-v1:0"
AUDIO = {
    "audioType": "SPEECH",
    "channelCount": 1,
    "encoding": "base64",
    "mediaType": "audio/lpcm",
    "sampleRateHertz": 24000,
    "sampleSizeBits": 16,
    "voiceId": "matthew",
}
TEXT = {"type": "TEXT", "interactive": True, "textInputConfiguration": {"mediaType": "text/plain"}}
SPECIFICATION = {"name": TOOL, "description": TOOL_TEXT, "inputSchema": {"json": json.dumps(TOOL_SCHEMA)}}


def transport() -> AWSCRTHTTPClient:
    """It has no setting for whom to trust, so what it uses inside is replaced."""
    options = TlsContextOptions()
    options.override_default_trust_store_from_path(None, os.environ["SSL_CERT_FILE"])
    client = AWSCRTHTTPClient()
    client._tls_ctx = ClientTlsContext(options)
    return client


class Session:
    """Both directions of a stream."""

    def __init__(self, stream: Any, seen: Seen) -> None:
        self._stream = stream
        self._seen = seen
        self._planned: set[str] = set()  # contents that tell what will be spoken

    async def ask(self) -> None:
        tools = (
            {"toolConfiguration": {"tools": [{"toolSpec": SPECIFICATION}]}} if self._seen.with_tools else {}
        )
        await self._say("sessionStart", inferenceConfiguration={"maxTokens": 256})
        await self._say("promptStart", promptName="prompt", audioOutputConfiguration=AUDIO, **tools)
        await self._content("question", {**TEXT, "role": "USER"}, "textInput", PROMPT)

    async def listen(self) -> None:
        _, output = await self._stream.await_output()
        async for chunk in output:
            event = json.loads(chunk.value.bytes_)["event"]
            ((name, members),) = event.items()
            await self._event(name, members)

    async def _event(self, name: str, members: dict[str, Any]) -> None:
        match name:
            case "contentStart" if "SPECULATIVE" in members.get("additionalModelFields", ""):
                self._planned.add(members["contentId"])
            case "textOutput" if members["contentId"] in self._planned:
                self._seen.text += members["content"]
            case "toolUse":
                await self._answer(members)
            case "usageEvent":
                self._seen.used(members["totalInputTokens"], members["totalOutputTokens"])
            case "completionEnd":
                self._seen.stop = members["stopReason"]
                await self._say("promptEnd", promptName="prompt")
                await self._say("sessionEnd")
                await self._stream.input_stream.close()

    async def _answer(self, call: dict[str, Any]) -> None:
        arguments = json.loads(call["content"])
        self._seen.call(call["toolName"], arguments)
        result = {"toolUseId": call["toolUseId"], "type": "TEXT"}
        start = {"type": "TOOL", "role": "TOOL", "interactive": False, "toolResultInputConfiguration": result}
        await self._content(
            "result", start, "toolResult", json.dumps({"text": lookup_subscription(**arguments)})
        )

    async def _content(self, name: str, start: dict[str, Any], event: str, content: str) -> None:
        names = {"promptName": "prompt", "contentName": name}
        await self._say("contentStart", **names, **start)
        await self._say(event, **names, content=content)
        await self._say("contentEnd", **names)

    async def _say(self, name: str, **members: Any) -> None:
        part = models.BidirectionalInputPayloadPart(bytes_=json.dumps({"event": {name: members}}).encode())
        await self._stream.input_stream.send(models.InvokeModelWithBidirectionalStreamInputChunk(value=part))


async def talk(endpoint: str, seen: Seen) -> None:
    config = await AsyncBedrockRuntimeConfig.resolve(
        endpoint_uri=endpoint, region=REGION, transport=transport()
    )
    client = AsyncBedrockRuntimeClient(config)
    request = models.InvokeModelWithBidirectionalStreamOperationInput(model_id=MODEL)
    session = Session(await client.invoke_model_with_bidirectional_stream(request), seen)
    await asyncio.gather(session.ask(), session.listen())


main(talk)
