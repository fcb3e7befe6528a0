// The AWS SDK for JavaScript v3: `ConverseStreamCommand` of a client with all defaults.

import { BedrockRuntimeClient, ConverseStreamCommand } from "@aws-sdk/client-bedrock-runtime";
import { MAX_TOKENS, MODEL, PROMPT, REGION, TOOL, TOOL_SCHEMA, TOOL_TEXT, lookupSubscription, main } from "./common.mjs";

const toolSpec = { name: TOOL, description: TOOL_TEXT, inputSchema: { json: TOOL_SCHEMA } };

await main(async (endpoint, seen) => {
  const client = new BedrockRuntimeClient({ endpoint, region: REGION });
  const messages = [{ role: "user", content: [{ text: PROMPT }] }];
  do {
    const blocks = await answer(client, messages, seen);
    if (seen.stop === "tool_use") messages.push(...turn(blocks, seen));
  } while (seen.stop === "tool_use");
});

/** The blocks of one answer. */
async function answer(client, messages, seen) {
  const blocks = [];
  seen.stop = null;
  const command = new ConverseStreamCommand({
    modelId: MODEL,
    messages,
    inferenceConfig: { maxTokens: MAX_TOKENS },
    ...(seen.withTools && { toolConfig: { tools: [{ toolSpec }] } }),
  });
  const { stream } = await client.send(command);
  for await (const { contentBlockStart, contentBlockDelta, messageStop, metadata } of stream) {
    if (contentBlockStart?.start?.toolUse) {
      blocks[contentBlockStart.contentBlockIndex] = { toolUse: { ...contentBlockStart.start.toolUse, input: "" } };
    } else if (contentBlockDelta?.delta.text !== undefined) {
      seen.text += contentBlockDelta.delta.text;
      (blocks[contentBlockDelta.contentBlockIndex] ??= { text: "" }).text += contentBlockDelta.delta.text;
    } else if (contentBlockDelta?.delta.toolUse) {
      blocks[contentBlockDelta.contentBlockIndex].toolUse.input += contentBlockDelta.delta.toolUse.input;
    } else if (messageStop) {
      seen.stop = messageStop.stopReason;
    } else if (metadata) {
      seen.used(metadata.usage.inputTokens, metadata.usage.outputTokens);
    }
  }
  return blocks;
}

/** What was said and what the tools say to it. */
function turn(blocks, seen) {
  const results = [];
  for (const { toolUse } of blocks.filter((block) => block.toolUse)) {
    toolUse.input = JSON.parse(toolUse.input || "{}");
    seen.call(toolUse.name, toolUse.input);
    results.push({ toolResult: { toolUseId: toolUse.toolUseId, content: [{ text: lookupSubscription(toolUse.input) }] } });
  }
  return [
    { role: "assistant", content: blocks },
    { role: "user", content: results },
  ];
}
