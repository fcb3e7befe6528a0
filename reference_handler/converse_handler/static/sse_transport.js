// An answer as Server-Sent Events over fetch, read on where the connection breaks.

import { Refused } from "./refused.js";
import { SseDecoder } from "./sse.js";

const AGAIN = [300, 1000, 3000]; // ms before each attempt to read on; they begin anew with every event that comes

/** Asks a handler that streams. `url` is where it takes questions. */
export class SseTransport {
  constructor(url = "chat") {
    this.url = url;
  }

  /** The events of the answer to `messages`, as they come; throws what ended it early. */
  async *ask(messages, signal) {
    const response = await fetch(this.url, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "text/event-stream" },
      body: JSON.stringify({ messages }),
      signal,
    });
    if (!response.ok) throw new Refused(await refusal(response));
    const again = response.headers.get("content-location"); // where the rest is, should this connection break
    const address = again && new URL(again, response.url);
    signal.addEventListener("abort", () => {
      if (address) fetch(address, { method: "DELETE", keepalive: true }).catch(() => {}); // else it might go on
    });
    yield* read(response, signal, address);
  }
}

async function* read(response, signal, address) {
  let lastEventId = "";
  for (let attempt = 0; response; ) {
    try {
      for await (const [data, id] of blocks(response)) {
        if (data === "[DONE]") return;
        lastEventId = id;
        attempt = 0;
        yield JSON.parse(data);
      }
    } catch (error) {
      if (signal.aborted || !address) throw error;
    }
    if (!address || attempt === AGAIN.length) return;
    await new Promise((done) => setTimeout(done, AGAIN[attempt++]));
    response = await rest(address, lastEventId, signal);
  }
}

/** What comes after this event; null if there is no more to be had. */
async function rest(address, lastEventId, signal) {
  try {
    const response = await fetch(address, { headers: { "last-event-id": lastEventId }, signal });
    return response.status === 200 ? response : null;
  } catch (error) {
    if (signal.aborted) throw error;
    return new Response(""); // not reachable: an attempt that brought nothing
  }
}

async function* blocks(response) {
  const decoder = new SseDecoder();
  const reader = response.body.getReader();
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
    for (const data of decoder.feed(piece.value)) yield [data, decoder.lastEventId];
  }
}

async function refusal(response) {
  const body = await response.json().catch(() => ({})); // a gateway's error need not be JSON
  return body.error ?? body.message ?? `The answer was refused (HTTP ${response.status}).`;
}
