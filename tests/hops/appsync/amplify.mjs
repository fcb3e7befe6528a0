// What a user of aws-amplify's events client sees: one line of JSON each.
// Arguments: endpoint, auth mode, secret (an API key, a token, or KEY:SECRET), channel.

import { Amplify } from "aws-amplify";
import { events } from "aws-amplify/data";
import WS from "ws";

const [endpoint, mode, secret, channelName] = process.argv.slice(2);
const tell = (what, more) => console.log(JSON.stringify({ what, more }));

// The client says wss: even where the endpoint is plain http:.
globalThis.WebSocket = class extends WS {
  constructor(url, protocols) {
    super(String(url).replace(/^wss:/, "ws:"), protocols);
  }
};

const [accessKeyId, secretAccessKey] = secret.split(":");
const credentials = async () => ({ credentials: { accessKeyId, secretAccessKey } });
Amplify.configure(
  { API: { Events: { endpoint, region: "us-east-1", defaultAuthMode: mode, ...(mode === "apiKey" && { apiKey: secret }) } } },
  { Auth: { credentialsProvider: { getCredentialsAndIdentityId: credentials, clearCredentialsAndIdentityId() {} } } },
);
const options = mode === "lambda" ? { authMode: mode, authToken: secret } : undefined;

try {
  const channel = await events.connect(channelName, options);
  tell("connected");
  let done;
  const three = new Promise((resolve) => (done = resolve));
  const got = [];
  const subscription = channel.subscribe(
    {
      next: ({ event }) => {
        tell("got", event);
        if (got.push(event) === 3) done();
      },
      error: (error) => tell("error", error.errors[0].message),
    },
    options,
  );
  await subscription.ready;
  tell("ready");
  await events.post(channelName, [{ first: "Grüße 🌍" }, "second"], options);
  await channel.publish({ third: [1, 2] }, options);
  await three;
  await channel.publish([1, 2, 3, 4, 5, 6], options).then(
    () => tell("six were taken"),
    () => tell("six were refused"),
  );
  await channel.close();
} catch (error) {
  tell("failed", error.message);
}
await events.closeAll();
process.exit(0);
