// Events that carry sequence numbers ({seq: 1, …}, {seq: 2, …}), put back in the order in which they were sent.
// A transport that promises neither order nor delivery pushes what arrives; the page reads what is due.

export class Interrupted extends Error {}

/** Puts events in order: duplicates are dropped, what came too early waits for what is missing. */
export class Sequence {
  #waiting = new Map(); // by seq

  constructor(next = 1) {
    this.next = next; // the seq that is due
  }

  /** Take one event as it arrived; returns those that are due now, in order. */
  take(event) {
    if (event.seq >= this.next) this.#waiting.set(event.seq, event);
    const due = [];
    for (; this.#waiting.has(this.next); this.next++) {
      due.push(this.#waiting.get(this.next));
      this.#waiting.delete(this.next);
    }
    return due;
  }

  /** How many events wait behind a gap. */
  get waiting() {
    return this.#waiting.size;
  }
}

/**
 * What arrived of one answer, as an async iterator in order, until its terminal event. It throws `Interrupted`
 * when the rest cannot be had: the transport failed, nothing came for `silence` ms, a gap stayed open for `gap`
 * ms or `window` events wait behind it. Before it gives up it asks `missed(seq)`, where there is such a function,
 * for the events after that number.
 */
export class Inbox {
  #sequence = new Sequence();
  #due = [];
  #failure = null;
  #wake = () => {};
  #over = false;
  #heardAt = performance.now();
  #gapSince = null;

  constructor({ silence = 45_000, gap = 2_000, window = 256, missed = null } = {}) {
    Object.assign(this, { silence, gap, window, missed });
  }

  /** An event arrived. */
  push(event) {
    this.#heardAt = performance.now();
    const before = this.#sequence.next;
    this.#due.push(...this.#sequence.take(event));
    if (!this.#sequence.waiting) this.#gapSince = null;
    else if (this.#gapSince === null || this.#sequence.next > before) this.#gapSince = performance.now();
    this.#wake();
  }

  /** Something may have been lost: fetch it, if that can be done. */
  async recover() {
    for (const event of (await this.missed?.(this.#sequence.next - 1)) ?? []) this.push(event);
  }

  /** Nothing more will arrive. */
  fail(error) {
    this.#failure ??= error;
    this.#wake();
  }

  async *[Symbol.asyncIterator]() {
    while (!this.#over) {
      const event = this.#due.shift();
      if (event) {
        this.#over = event.type === "message_stop" || event.type === "error";
        yield event;
      } else if (this.#lost()) await this.#tryAgain();
      else await this.#change();
    }
  }

  /** Why to wait no longer, or null. */
  #lost() {
    const now = performance.now();
    if (this.#failure) return this.#failure;
    if (this.#gapSince !== null && now - this.#gapSince >= this.gap) return new Interrupted("events were lost");
    if (this.#sequence.waiting >= this.window) return new Interrupted("too many events wait for one that was lost");
    if (now - this.#heardAt >= this.silence) return new Interrupted("nothing came for too long");
    return null;
  }

  async #tryAgain() {
    const why = this.#lost();
    const next = this.#sequence.next;
    if (why.name !== "AbortError") await this.recover();
    if (this.#sequence.next === next) throw why; // there was nothing new
  }

  #change() {
    const now = performance.now();
    const until = [this.#heardAt + this.silence];
    if (this.#gapSince !== null) until.push(this.#gapSince + this.gap);
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, Math.max(0, Math.min(...until) - now) + 1);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
