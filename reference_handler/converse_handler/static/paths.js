// The paths that an answer can take to this page, and the one that is chosen. The address keeps the choice:
// #path=NAME opens the page with it.

import { AppSyncTransport } from "./appsync.js";
import { SseTransport } from "./sse_transport.js";
import { WebSocketTransport } from "./websocket.js";

const TRANSPORTS = { sse: SseTransport, websocket: WebSocketTransport, appsync: AppSyncTransport };

/** Fills the select element with what the handler offers; hidden where there is nothing to choose. */
export function paths(select) {
  const transports = new Map(); // by name, kept: a WebSocket serves many questions
  const filled = offered().then((offers) => {
    for (const { name, transport, url } of offers) {
      transports.set(name, new TRANSPORTS[transport](url));
      select.add(new Option(name));
    }
    const wanted = new URLSearchParams(location.hash.slice(1)).get("path");
    if (transports.has(wanted)) select.value = wanted;
    select.parentElement.hidden = offers.length < 2;
  });
  select.addEventListener("change", () => {
    location.hash = new URLSearchParams({ path: select.value });
  });
  return {
    async transport() {
      await filled;
      return transports.get(select.value);
    },
    get name() {
      return transports.size > 1 ? select.value : "";
    },
    enable(yes) {
      select.disabled = !yes;
    },
  };
}

async function offered() {
  const response = await fetch("paths");
  return response.json();
}
