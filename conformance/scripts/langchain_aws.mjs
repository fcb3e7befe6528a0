// LangChain.js: `ChatBedrockConverse.stream`, the endpoint from the environment variable of the AWS SDKs.

import { ChatBedrockConverse } from "@langchain/aws";
import { HumanMessage, ToolMessage } from "@langchain/core/messages";
import { tool } from "@langchain/core/tools";
import { MODEL, PROMPT, REGION, TOOL, TOOL_SCHEMA, TOOL_TEXT, lookupSubscription, main } from "./common.mjs";

await main(async (endpoint, seen) => {
  process.env.AWS_ENDPOINT_URL_BEDROCK_RUNTIME = endpoint;
  const model = new ChatBedrockConverse({ model: MODEL, region: REGION });
  const lookup = tool(lookupSubscription, { name: TOOL, description: TOOL_TEXT, schema: TOOL_SCHEMA });
  const bound = seen.withTools ? model.bindTools([lookup]) : model;
  const messages = [new HumanMessage(PROMPT)];
  let calls;
  do {
    const said = await answer(bound, messages, seen);
    messages.push(said);
    calls = said.tool_calls ?? [];
    for (const { id, name, args } of calls) {
      seen.call(name, args);
      messages.push(new ToolMessage({ tool_call_id: id, content: await lookup.invoke(args) }));
    }
  } while (calls.length);
});

/** The message that the chunks of one answer add up to. */
async function answer(model, messages, seen) {
  let said;
  for await (const chunk of await model.stream(messages)) {
    seen.text += chunk.text;
    said = said === undefined ? chunk : said.concat(chunk);
  }
  seen.stop = said?.response_metadata?.messageStop?.stopReason ?? null;
  const usage = said?.usage_metadata;
  if (usage) seen.used(usage.input_tokens, usage.output_tokens);
  return said;
}
