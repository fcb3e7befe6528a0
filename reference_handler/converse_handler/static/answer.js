// One answer on the page: a small state machine from wire events to DOM.
// data-state: waiting → streaming ⇄ tool → done | truncated | interrupted | stopped

const THINKING = "The assistant is thinking…";
const NOTES = {
  truncated: "(response truncated)",
  interrupted: "(generation interrupted)",
  stopped: "(stopped)",
};
const REASONS = {
  guardrail_intervened: "(a safety rule replaced this answer)",
  content_filtered: "(parts of this answer were filtered)",
};

export class AnswerView {
  constructor(retry) {
    this.element = document.getElementById("answer").content.cloneNode(true).firstElementChild;
    this.text = ""; // the answer's text so far, as the next request will quote it
    this.over = false;
    this.path = ""; // the name of the path that it comes over, where there is a choice
    this.#began = performance.now();
    this.#part("retry").addEventListener("click", () => {
      this.#part("retry").hidden = true;
      retry();
    });
    this.#show("waiting", THINKING);
  }

  #began;
  #firstWord = null;
  #blocks = new Map(); // by index: the text node that grows
  #tools = new Map(); // by id: the chip

  /** Show one event of the wire contract. */
  take(event) {
    switch (event.type) {
      case "content_block_start":
        this.#open(event.index, event.kind);
        break;
      case "content_block_delta":
        this.#grow(event.index, event.delta);
        break;
      case "tool_start":
        this.#startTool(event);
        break;
      case "tool_end":
        this.#endTool(event);
        break;
      case "message_stop":
        this.#finish(event);
        break;
      case "error":
        this.interrupt(event.message, event.retryable);
        break;
    }
  }

  /** The answer broke off: what has arrived stays. */
  interrupt(message, retryable) {
    this.#end("interrupted", this.#body.textContent ? NOTES.interrupted : "");
    this.#say("error", message);
    this.#part("retry").hidden = !retryable;
  }

  /** The user has had enough. */
  stop() {
    this.#end("stopped", NOTES.stopped);
  }

  #open(index, kind) {
    const node = document.createTextNode("");
    if (kind === "thinking") {
      const details = document.createElement("details");
      details.dataset.testid = "thinking";
      details.append(Object.assign(document.createElement("summary"), { textContent: "Thinking" }), node);
      this.#body.append(details);
    } else {
      const block = document.createElement("div");
      block.dataset.testid = "text";
      block.append(node);
      this.#body.append(block);
    }
    this.#blocks.set(index, node);
  }

  #grow(index, delta) {
    this.#blocks.get(index)?.appendData(delta.text ?? delta.thinking ?? "");
    if (delta.text === undefined) return;
    this.text += delta.text;
    this.#firstWord ??= performance.now();
    this.#show("streaming", "");
  }

  #startTool({ id, label }) {
    const chip = document.createElement("p");
    chip.className = "tool";
    chip.dataset.testid = "tool";
    chip.dataset.state = "running";
    chip.textContent = label;
    this.#body.append(chip);
    this.#tools.set(id, chip);
    this.#show("tool", THINKING);
  }

  #endTool({ id, ok }) {
    const chip = this.#tools.get(id);
    if (chip) chip.dataset.state = ok ? "done" : "failed";
  }

  #finish({ stop_reason, truncated, usage }) {
    this.#end(truncated ? "truncated" : "done", truncated ? NOTES.truncated : (REASONS[stop_reason] ?? ""));
    if (!this.#body.textContent) this.#say("note", "(the assistant said nothing)");
    const facts = [];
    if (this.#firstWord) facts.push(`first word after ${seconds(this.#firstWord - this.#began)}`);
    facts.push(`all after ${seconds(performance.now() - this.#began)}`);
    if (usage) facts.push(`${usage.output_tokens} tokens`);
    if (this.path) facts.push(`over ${this.path}`);
    this.#say("facts", facts.join(" · "));
  }

  #end(state, note) {
    this.over = true;
    for (const chip of this.#tools.values()) if (chip.dataset.state === "running") chip.dataset.state = "failed";
    this.#show(state, "");
    this.#say("note", note);
  }

  #show(state, words) {
    this.element.dataset.state = state;
    this.element.setAttribute("aria-busy", String(!this.over));
    this.#part("status").hidden = this.over;
    this.#part("status").querySelector(".words").textContent = words;
  }

  #say(part, words) {
    this.#part(part).textContent = words;
    this.#part(part).hidden = !words;
  }

  #part(name) {
    return this.element.querySelector(`[data-testid=${name}]`);
  }

  get #body() {
    return this.#part("body");
  }
}

const seconds = (milliseconds) => `${(milliseconds / 1000).toFixed(1)} s`;
