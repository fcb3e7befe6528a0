// Server-Sent Events out of a fetch body: the parsing rules of WHATWG HTML 9.2.6, as far as a chat needs them.
// Bytes may be cut anywhere: inside a character, inside a line, between CR and LF.

export class SseDecoder {
  #utf8 = new TextDecoder(); // keeps half a character until the rest arrives; strips a byte order mark
  #line = "";
  #data = [];
  #id = "";
  #afterCr = false;

  /** The id of the last complete event: what to ask for the rest with. */
  lastEventId = "";

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
        const data = this.#data;
        this.#data = [];
        this.lastEventId = this.#id;
        if (data.length) yield data.join("\n");
      } else if (line === "data" || line.startsWith("data:")) {
        this.#data.push(line.slice(5).replace(/^ /, ""));
      } else if (line.startsWith("id:") && !line.includes("\0")) {
        this.#id = line.slice(3).replace(/^ /, "");
      } // comments and the rest: nothing to show
    }
  }
}
