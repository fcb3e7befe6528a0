// Streams scenarios with the AWS SDK for JavaScript and prints what came: one line of JSON for each.
//
//     node aws_sdk_scenarios.mjs ENDPOINT_URL READ_TIMEOUT http1|http2 SCENARIO...
//
// `http2` is the client as it comes; `http1` has the handler that users give it who need HTTP/1.1.

import { BedrockRuntimeClient, ConverseStreamCommand } from "@aws-sdk/client-bedrock-runtime";
import { NodeHttp2Handler, NodeHttpHandler } from "@smithy/node-http-handler";

const AT_ONCE = 16;
const MODEL = "anthropic.claude-3-haiku-20240307-v1:0";
const [endpoint, seconds, version, ...names] = process.argv.slice(2);
const timeout = Number(seconds) * 1000;

const handlers = {
  http1: () => new NodeHttpHandler({ requestTimeout: timeout, socketTimeout: timeout, throwOnRequestTimeout: true }),
  http2: () => new NodeHttp2Handler({ requestTimeout: timeout, sessionTimeout: timeout }),
};

/** What a streamed call brings: types of events, text, and the error if there is one. */
async function stream(name) {
  const came = { scenario: name, events: [], text: "", error: null };
  // A client each: what breaks a connection of HTTP/2 would break the other calls on it.
  const client = new BedrockRuntimeClient({
    endpoint,
    region: "us-east-1",
    credentials: { accessKeyId: "default", secretAccessKey: "dummy" },
    maxAttempts: 1,
    requestHandler: handlers[version](),
  });
  const content = [{ text: `When does it renew? [[scenario: ${name}]]` }];
  try {
    const response = await client.send(
      new ConverseStreamCommand({ modelId: MODEL, messages: [{ role: "user", content }] }),
    );
    for await (const event of response.stream) {
      const [kind] = Object.keys(event);
      came.events.push(kind);
      came.text += event.contentBlockDelta?.delta?.text ?? "";
    }
  } catch (error) {
    came.error = told(error);
  }
  client.destroy();
  return came;
}

/** An exception's name and text, and the code of the operating system or of the service where there is one. */
function told(error) {
  return { class: error?.name ?? typeof error, text: String(error?.message), code: error?.code ?? null };
}

const waiting = [...names];

/** Streams one after the other of those that wait. */
async function work() {
  for (let name = waiting.shift(); name; name = waiting.shift()) console.log(JSON.stringify(await stream(name)));
}

await Promise.all(Array.from({ length: AT_ONCE }, work));
process.exit(0);
