// The chat: what was said so far, one request at a time, and a stop button that closes it.

import { AnswerView } from "./answer.js";
import { SseDecoder } from "./sse.js";

const page = document.scrollingElement;
const log = document.getElementById("log");
const prompt = document.getElementById("prompt");
const send = document.getElementById("send");
const stop = document.getElementById("stop");

const LOST = "The connection was lost. Please try again.";
const AGAIN = [300, 1000, 3000]; // ms before each attempt to read on; they begin anew with every event that comes

const history = []; // {role, content}; the roles take turns, and between two questions it ends with an answer
let running = null; // the AbortController of the request under way

document.getElementById("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  submit(prompt.value);
});
prompt.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    submit(prompt.value);
  }
});
prompt.addEventListener("input", grow);
stop.addEventListener("click", () => running?.abort());
for (const suggestion of document.querySelectorAll(".suggestion")) {
  suggestion.addEventListener("click", () => submit(suggestion.textContent));
}

function submit(text) {
  if (running || !text.trim()) return;
  prompt.value = "";
  grow();
  const question = document.createElement("article");
  question.className = "message user";
  question.dataset.testid = "user";
  question.setAttribute("aria-label", "You");
  question.textContent = text;
  append(question);
  ask(text);
}

async function ask(question) {
  if (running) return;
  const messages = [...history, { role: "user", content: question }];
  const answer = new AnswerView(() => ask(question));
  append(answer.element);
  running = new AbortController();
  busy(true);
  try {
    await stream(messages, answer, running.signal);
    if (!answer.over) follow(() => answer.interrupt(LOST, true)); // the body ended, but nothing said that the answer did
  } catch (error) {
    follow(() => {
      if (error.name === "AbortError") answer.stop();
      else if (error instanceof Refused) answer.interrupt(error.message, false);
      else answer.interrupt(LOST, true);
    });
  }
  running = null;
  busy(false);
  if (answer.text.trim() && answer.element.dataset.state !== "interrupted") {
    history.push(messages.at(-1), { role: "assistant", content: answer.text });
  }
}

class Refused extends Error {}

async function stream(messages, answer, signal) {
  const response = await fetch("chat", {
    method: "POST",
    headers: { "content-type": "application/json", accept: "text/event-stream" },
    body: JSON.stringify({ messages }),
    signal,
  });
  if (!response.ok) throw new Refused((await response.json()).error);
  const again = response.headers.get("content-location"); // where the rest is, should this connection break
  const address = again && new URL(again, response.url);
  signal.addEventListener("abort", () => {
    if (address) fetch(address, { method: "DELETE", keepalive: true }).catch(() => {}); // else it might go on
  });
  await read(response, answer, signal, address);
}

async function read(response, answer, signal, address) {
  let lastEventId = "";
  for (let attempt = 0; response; ) {
    try {
      for await (const [data, id] of events(response)) {
        if (data !== "[DONE]" && !answer.over) follow(() => answer.take(JSON.parse(data)));
        lastEventId = id;
        attempt = 0;
      }
    } catch (error) {
      if (signal.aborted || !address) throw error;
    }
    if (answer.over || !address || attempt === AGAIN.length) return;
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

async function* events(response) {
  const decoder = new SseDecoder();
  const reader = response.body.getReader();
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
    for (const data of decoder.feed(piece.value)) yield [data, decoder.lastEventId];
  }
}

function append(element) {
  document.getElementById("welcome")?.remove();
  log.append(element);
  page.scrollTop = page.scrollHeight;
}

function follow(change) {
  // Keep the end in view, unless the reader has scrolled up to read.
  const atEnd = page.scrollHeight - page.scrollTop - page.clientHeight < 80;
  change();
  if (atEnd) page.scrollTop = page.scrollHeight;
}

function busy(yes) {
  const pressed = [send, stop].includes(document.activeElement); // and now to be hidden under the finger
  send.hidden = yes;
  stop.hidden = !yes;
  if (pressed) prompt.focus();
}

function grow() {
  prompt.style.height = "auto";
  prompt.style.height = `${prompt.scrollHeight}px`;
}
