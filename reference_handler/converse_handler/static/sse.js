// Server-Sent Events out of a fetch body: the parsing rules of WHATWG HTML 9.2.6, as far as a chat needs them.
// Bytes may be cut anywhere: inside a character, inside a line, between CR and LF.

export class SseDecoder {
  #utf8 = new TextDecoder(); // keeps half a character until the rest arrives; strips a byte order mark
  #line = "";
  #data = [];
  #afterCr = false;

  /** The `data` of each event that these bytes complete. */
  *feed(bytes) {
    let text = this.#utf8.decode(bytes, { stream: true });
    if (!text) return;
    if (this.#afterCr && text.startsWith("\n")) text = text.slice(1); // the other half of a CRLF
    this.#afterCr = text ? text.endsWith("\r") : false;
    const lines = (this.#line + text).split(/\r\n|\r|\n/);
    this.#line = lines.pop();
    for (const line of lines) {
      if (line === "") {
        if (this.#data.length) yield this.#data.join("\n");
        this.#data = [];
      } else if (line === "data" || line.startsWith("data:")) {
        this.#data.push(line.slice(5).replace(/^ /, ""));
      } // comments, ids and the rest: nothing to show
    }
  }
}
