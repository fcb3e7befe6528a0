// The AWS SDK for JavaScript v3: a session with Nova Sonic, `InvokeModelWithBidirectionalStreamCommand`.

import { BedrockRuntimeClient, InvokeModelWithBidirectionalStreamCommand } from "@aws-sdk/client-bedrock-runtime";
import { MAX_TOKENS, PROMPT, REGION, TOOL, TOOL_SCHEMA, TOOL_TEXT, lookupSubscription, main } from "./common.mjs";

const modelId = "amazon.nova-2-sonic-v1:0";
const promptName = "prompt";
const toolSpec = { name: TOOL, description: TOOL_TEXT, inputSchema: { json: JSON.stringify(TOOL_SCHEMA) } };
const audioOutputConfiguration = {
  audioType: "SPEECH",
  channelCount: 1,
  encoding: "base64",
  mediaType: "audio/lpcm",
  sampleRateHertz: 24000,
  sampleSizeBits: 16,
  voiceId: "matthew",
};

/** What the user's side says: an iterable that ends when it is told to. */
class Input {
  #events = [];
  #wake = () => {};

  say(name, members) {
    this.#events.push({ event: { [name]: members } });
    this.#wake();
  }

  /** A whole content: its start, what is in it, its end. */
  content(contentName, start, name, content) {
    this.say("contentStart", { promptName, contentName, ...start });
    this.say(name, { promptName, contentName, content });
    this.say("contentEnd", { promptName, contentName });
  }

  end() {
    this.say("promptEnd", { promptName });
    this.say("sessionEnd", {});
  }

  async *[Symbol.asyncIterator]() {
    for (let last; last !== "sessionEnd"; ) {
      while (!this.#events.length) await new Promise((resolve) => (this.#wake = resolve));
      const event = this.#events.shift();
      last = Object.keys(event.event)[0];
      yield { chunk: { bytes: new TextEncoder().encode(JSON.stringify(event)) } };
    }
  }
}

await main(async (endpoint, seen) => {
  const client = new BedrockRuntimeClient({ endpoint, region: REGION });
  const input = new Input();
  input.say("sessionStart", { inferenceConfiguration: { maxTokens: MAX_TOKENS } });
  input.say("promptStart", {
    promptName,
    audioOutputConfiguration,
    textOutputConfiguration: { mediaType: "text/plain" },
    ...(seen.withTools && { toolConfiguration: { tools: [{ toolSpec }] } }),
  });
  const text = { type: "TEXT", interactive: true, textInputConfiguration: { mediaType: "text/plain" } };
  input.content("system", { ...text, role: "SYSTEM" }, "textInput", "You are friendly.");
  input.content("question", { ...text, role: "USER" }, "textInput", PROMPT);
  const { body } = await client.send(new InvokeModelWithBidirectionalStreamCommand({ modelId, body: input }));
  const planned = new Set(); // contents that tell what will be spoken
  for await (const { chunk } of body) {
    const { event } = JSON.parse(new TextDecoder().decode(chunk.bytes));
    if (event.contentStart?.additionalModelFields?.includes("SPECULATIVE")) planned.add(event.contentStart.contentId);
    if (planned.has(event.textOutput?.contentId)) seen.text += event.textOutput.content;
    if (event.toolUse) answer(event.toolUse, input, seen);
    if (event.usageEvent) seen.used(event.usageEvent.totalInputTokens, event.usageEvent.totalOutputTokens);
    if (event.completionEnd) {
      seen.stop = event.completionEnd.stopReason;
      input.end();
    }
  }
});

function answer({ toolName, toolUseId, content }, input, seen) {
  seen.call(toolName, content);
  const start = {
    type: "TOOL",
    role: "TOOL",
    interactive: false,
    toolResultInputConfiguration: { toolUseId, type: "TEXT", textInputConfiguration: { mediaType: "text/plain" } },
  };
  const result = { text: lookupSubscription(JSON.parse(content)) };
  input.content(`result-${toolUseId}`, start, "toolResult", JSON.stringify(result));
}
