// An answer over AppSync Events: subscribe first, then ask; what is published before the subscription is lost.
// The protocol of the realtime WebSocket, as far as a chat needs it: no library, one connection for the page.

import { Refused } from "./refused.js";
import { Inbox, Interrupted } from "./sequence.js";

/** The WebSocket, from `connection_ack` on. */
class Connection {
  #socket;
  #session;
  #pending = new Map(); // by id: how to settle what waits for its answer
  #listeners = new Map(); // by id: {take, fail}
  #watchdog = null;
  #patience = 300_000; // ms without a sign of life
  open = true;

  constructor(session) {
    const header = base64url(JSON.stringify(this.#authorization(session)));
    this.#session = session;
    this.#socket = new WebSocket(session.realtime_url, ["aws-appsync-event-ws", `header-${header}`]);
    this.#socket.addEventListener("open", () => this.#send({ type: "connection_init" }));
    this.#socket.addEventListener("message", ({ data }) => this.#hear(JSON.parse(data)));
    this.#socket.addEventListener("close", () => this.#end(new Interrupted("the connection was lost")));
    this.ready = new Promise((resolve, reject) => this.#pending.set("connection", { resolve, reject }));
  }

  /** Events of `channel` go to `take`, parsed, from when this resolves; `fail` hears that no more will come. */
  async subscribe(channel, take, fail) {
    const id = crypto.randomUUID();
    this.#listeners.set(id, { take, fail });
    try {
      await this.#ask({ type: "subscribe", id, channel, authorization: this.#authorization(this.#session) });
    } catch (error) {
      this.#listeners.delete(id);
      throw error;
    }
    return () => {
      this.#listeners.delete(id);
      if (this.open) this.#send({ type: "unsubscribe", id });
    };
  }

  close() {
    this.#socket.close();
    this.#end(new Interrupted("the connection was closed"));
  }

  #ask(message) {
    return new Promise((resolve, reject) => {
      if (!this.open) reject(new Interrupted("the connection was lost"));
      this.#pending.set(message.id, { resolve, reject });
      this.#send(message);
    });
  }

  #hear(message) {
    clearTimeout(this.#watchdog);
    this.#watchdog = setTimeout(() => this.close(), this.#patience);
    switch (message.type) {
      case "connection_ack":
        this.#patience = message.connectionTimeoutMs;
        this.#settle("connection", null);
        break;
      case "connection_error":
        this.#settle("connection", refusal(message));
        break;
      case "subscribe_success":
        this.#settle(message.id, null);
        break;
      case "subscribe_error":
        this.#settle(message.id, refusal(message));
        break;
      case "data": // the service is documented to send an array, and its own client takes a string as well
        for (const event of [message.event].flat()) this.#listeners.get(message.id)?.take(JSON.parse(event));
        break;
    } // signs of life, and a broadcast_error: the number that is missing tells
  }

  #settle(id, error) {
    const waiting = this.#pending.get(id);
    this.#pending.delete(id);
    if (error) waiting?.reject(error);
    else waiting?.resolve();
  }

  #end(error) {
    this.open = false;
    clearTimeout(this.#watchdog);
    for (const id of [...this.#pending.keys()]) this.#settle(id, error);
    for (const { fail } of this.#listeners.values()) fail(error);
    this.#listeners.clear();
  }

  #send(message) {
    this.#socket.send(JSON.stringify(message));
  }

  #authorization({ host, ticket }) {
    return { host, Authorization: ticket };
  }
}

/** Asks a handler that publishes. `url` is where it lives, `options` are Inbox's. */
export class AppSyncTransport {
  #session = null;
  #expires = 0;
  #connection = null;

  constructor(url = "appsync", options = {}) {
    Object.assign(this, { url, options });
  }

  /** The events of the answer to `messages`, in order, as they come; throws what ended it early. */
  async *ask(messages, signal) {
    await this.#join();
    const channel = this.#session.channels + crypto.randomUUID(); // of this answer alone: numbers begin with 1
    const missed = (seq) => this.#missed(channel, seq);
    const inbox = new Inbox({ silence: this.#session.silence_ms, missed, ...this.options });
    const stop = () => inbox.fail(signal.reason);
    const cancel = () => this.#post("cancel", { channel }, { keepalive: true }).catch(() => {});
    let leave = null;
    let running = false;
    const listen = async () => {
      await this.#join();
      leave = await this.#connection.subscribe(channel, (event) => inbox.push(event), lost);
    };
    const lost = (error) => {
      if (running) listen().then(() => inbox.recover(), () => inbox.fail(error)); // what came meanwhile is fetched
    };
    signal.addEventListener("abort", stop);
    try {
      await listen();
      signal.throwIfAborted();
      addEventListener("pagehide", cancel); // nobody else tells the handler that nobody listens any more
      running = true;
      await this.#post("chat", { messages, channel }, { signal });
      yield* inbox;
      running = false;
    } finally {
      signal.removeEventListener("abort", stop);
      removeEventListener("pagehide", cancel);
      leave?.();
      if (running) cancel();
      running = false;
    }
  }

  async #missed(channel, seq) {
    const headers = { authorization: this.#session.ticket };
    const query = new URLSearchParams({ channel, after: seq });
    const response = await fetch(`${this.url}/missed?${query}`, { headers }).catch(() => null);
    return response?.ok ? (await response.json()).events : [];
  }

  async #join() {
    if (performance.now() >= this.#expires) {
      this.#session = await this.#json(await fetch(this.url));
      this.#expires = performance.now() + this.#session.expires_ms / 2;
      this.#connection?.close();
    }
    if (!this.#connection?.open) this.#connection = new Connection(this.#session);
    await this.#connection.ready;
  }

  async #post(what, body, options) {
    const headers = { "content-type": "application/json", authorization: this.#session.ticket };
    const request = { method: "POST", headers, body: JSON.stringify(body), ...options };
    return this.#json(await fetch(`${this.url}/${what}`, request));
  }

  async #json(response) {
    const body = await response.json();
    if (!response.ok) throw new Refused(body.error);
    return body;
  }
}

const refusal = ({ errors: [{ errorType, message }] }) => new Refused(`${errorType}: ${message}`);

const base64url = (text) => btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
