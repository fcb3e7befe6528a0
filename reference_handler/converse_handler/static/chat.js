// The chat: what was said so far, one question at a time over one of the paths, and a stop button that ends it.

import { AnswerView } from "./answer.js";
import { paths } from "./paths.js";
import { Refused } from "./refused.js";

const page = document.scrollingElement;
const log = document.getElementById("log");
const prompt = document.getElementById("prompt");
const send = document.getElementById("send");
const stop = document.getElementById("stop");

const LOST = "The connection was lost. Please try again.";

const history = []; // {role, content}; the roles take turns, and between two questions it ends with an answer
const choice = paths(document.getElementById("path"));
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
    const transport = await choice.transport();
    answer.path = choice.name;
    for await (const event of transport.ask(messages, running.signal)) follow(() => answer.take(event));
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
  choice.enable(!yes);
  if (pressed) prompt.focus();
}

function grow() {
  prompt.style.height = "auto";
  prompt.style.height = `${prompt.scrollHeight}px`;
}
