// An answer over an API Gateway WebSocket API: one connection, one question at a time, events with numbers.

import { Refused } from "./refused.js";
import { Inbox, Interrupted } from "./sequence.js";

const FRAME = 32_768; // bytes: the gateway closes with 1009 on more, and a browser sends a message as one frame
const TIMED_OUT = "Endpoint request timed out"; // the gateway's own notice; what it waited for runs on

/** Asks a handler behind a WebSocket API. `url` is where the handler tells the API's; `options` are Inbox's. */
export class WebSocketTransport {
  #socket = null; // kept after an answer that came to its end

  constructor(url = "websocket", options = {}) {
    Object.assign(this, { url, options });
  }

  /** The events of the answer to `messages`, in order, as they come; throws what ended it early. */
  async *ask(messages, signal) {
    const question = JSON.stringify({ action: "chat", messages });
    if (new TextEncoder().encode(question).length > FRAME) {
      throw new Refused("The conversation is too long for this connection.");
    }
    const socket = await this.#connect(signal);
    const inbox = new Inbox(this.options);
    const hear = ({ data }) => take(inbox, JSON.parse(data));
    const closed = (event) => inbox.fail(lost(event));
    const stop = () => inbox.fail(signal.reason);
    socket.addEventListener("message", hear);
    socket.addEventListener("close", closed);
    signal.addEventListener("abort", stop);
    let over = false;
    try {
      socket.send(question);
      yield* inbox;
      over = true;
    } finally {
      socket.removeEventListener("message", hear);
      socket.removeEventListener("close", closed);
      signal.removeEventListener("abort", stop);
      if (!over) this.#leave(); // what still comes belongs to no later question
    }
  }

  async #connect(signal) {
    if (this.#socket?.readyState !== WebSocket.OPEN) {
      const response = await fetch(this.url, { signal });
      if (!response.ok) throw new Refused("There is no WebSocket API here.");
      this.#socket = await opened((await response.json()).url, signal);
    }
    return this.#socket;
  }

  #leave() {
    this.#socket?.close(); // the gateway tells the handler, which lets go of the model
    this.#socket = null;
  }
}

function take(inbox, event) {
  // A ping is pushed as well: it has no number, so it is only a sign of life.
  if ("seq" in event || event.type === "ping") inbox.push(event);
  else if (event.message !== TIMED_OUT) inbox.fail(new Interrupted(`the gateway says: ${event.message}`));
}

function opened(url, signal) {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url);
    const stop = () => {
      reject(signal.reason);
      socket.close();
    };
    socket.addEventListener("open", () => {
      signal.removeEventListener("abort", stop);
      resolve(socket);
    });
    socket.addEventListener("close", (event) => reject(lost(event)));
    signal.addEventListener("abort", stop);
  });
}

const lost = ({ code, reason }) => new Interrupted(`the connection was closed: ${code} ${reason}`.trim());
