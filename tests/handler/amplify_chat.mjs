// A chat client built on aws-amplify: subscribes with its ticket, then asks, and prints the events it gets.
// Arguments: the handler's URL, the Event API's endpoint.

import { Amplify } from "aws-amplify";
import { events } from "aws-amplify/data";
import WS from "ws";

const [handler, endpoint] = process.argv.slice(2);
globalThis.WebSocket = class extends WS {
  constructor(url, protocols) {
    super(String(url).replace(/^wss:/, "ws:"), protocols); // the client says wss: whatever the endpoint is
  }
};
Amplify.configure({ API: { Events: { endpoint, region: "us-east-1", defaultAuthMode: "lambda" } } });

const { ticket, channels } = await (await fetch(`${handler}/appsync`)).json();
const options = { authMode: "lambda", authToken: ticket };
const name = `${channels}amplify`;
const channel = await events.connect(name, options);
const over = new Promise((resolve) => {
  const next = ({ event }) => {
    console.log(JSON.stringify(event));
    if (event.type === "message_stop" || event.type === "error") resolve();
  };
  channel.subscribe({ next, error: (error) => console.log(JSON.stringify(error)) }, options).ready.then(() =>
    fetch(`${handler}/appsync/chat`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: ticket },
      body: JSON.stringify({ messages: [{ role: "user", content: "When does it renew?" }], channel: name }),
    }),
  );
});
await over;
await channel.close();
await events.closeAll();
process.exit(0);
