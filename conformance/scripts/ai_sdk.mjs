// The AI SDK: `streamText` with the Amazon Bedrock provider; it goes on by itself when a tool was called.

import { createAmazonBedrock } from "@ai-sdk/amazon-bedrock";
import { jsonSchema, stepCountIs, streamText, tool } from "ai";
import { MODEL, PROMPT, REGION, TOOL, TOOL_SCHEMA, TOOL_TEXT, lookupSubscription, main } from "./common.mjs";

const tools = {
  [TOOL]: tool({ description: TOOL_TEXT, inputSchema: jsonSchema(TOOL_SCHEMA), execute: async (input) => lookupSubscription(input) }),
};

await main(async (endpoint, seen) => {
  const bedrock = createAmazonBedrock({ baseURL: endpoint, region: REGION });
  const result = streamText({
    model: bedrock(MODEL),
    prompt: PROMPT,
    onError: () => {}, // it would print the error; the stream has it too
    ...(seen.withTools && { tools, stopWhen: stepCountIs(5) }),
  });
  for await (const part of result.fullStream) {
    if (part.type === "text-delta") seen.text += part.text;
    else if (part.type === "tool-call") seen.call(part.toolName, part.input);
    else if (part.type === "error") seen.failed(part.error);
    else if (part.type === "finish") {
      seen.stop = part.finishReason;
      seen.used(part.totalUsage.inputTokens, part.totalUsage.outputTokens);
    }
  }
});
