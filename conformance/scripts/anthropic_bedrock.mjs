// Anthropic's SDK for Bedrock: `messages.stream`, which calls InvokeModelWithResponseStream.

import AnthropicBedrock from "@anthropic-ai/bedrock-sdk";
import { MAX_TOKENS, MODEL, PROMPT, REGION, TOOL, TOOL_SCHEMA, TOOL_TEXT, lookupSubscription, main } from "./common.mjs";

const tools = [{ name: TOOL, description: TOOL_TEXT, input_schema: TOOL_SCHEMA }];

await main(async (endpoint, seen) => {
  const client = new AnthropicBedrock({ baseURL: endpoint, awsRegion: REGION });
  const messages = [{ role: "user", content: PROMPT }];
  do {
    const said = await answer(client, messages, seen);
    if (seen.stop === "tool_use") messages.push(...turn(said, seen));
  } while (seen.stop === "tool_use");
});

async function answer(client, messages, seen) {
  seen.stop = null;
  const request = { model: MODEL, max_tokens: MAX_TOKENS, messages, ...(seen.withTools && { tools }) };
  const stream = client.messages.stream(request).on("text", (text) => (seen.text += text));
  const said = await stream.finalMessage();
  seen.stop = said.stop_reason;
  seen.used(said.usage.input_tokens, said.usage.output_tokens);
  return said;
}

/** What was said and what the tools say to it. */
function turn(said, seen) {
  const results = [];
  for (const { id, name, input } of said.content.filter((block) => block.type === "tool_use")) {
    seen.call(name, input);
    results.push({ type: "tool_result", tool_use_id: id, content: lookupSubscription(input) });
  }
  return [
    { role: "assistant", content: said.content },
    { role: "user", content: results },
  ];
}
