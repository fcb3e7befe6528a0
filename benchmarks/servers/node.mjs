// Node's http server. Arguments: port, `encode` or `absolute`, and for the latter a file of frames.
//   encode    builds and checksums every frame of every response, as mocks in JavaScript do
//   absolute  plays a schedule with a timer for each frame, set to the absolute moment
import { createServer } from "node:http";
import { readFileSync } from "node:fs";
import zlib from "node:zlib";

const [, , port, mode, file] = process.argv;
const table = new Uint32Array(256).map((_, n) => {
  for (let k = 0; k < 8; k++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
  return n >>> 0;
});
const crc32 = zlib.crc32 ?? ((bytes) => {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = table[(crc ^ byte) & 0xff] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
});

function header(name, value) {
  const [n, v] = [Buffer.from(name), Buffer.from(value)];
  const length = Buffer.alloc(2);
  length.writeUInt16BE(v.length);
  return Buffer.concat([Buffer.from([n.length]), n, Buffer.from([7]), length, v]);
}

function frame(type, payload) {
  const body = Buffer.from(JSON.stringify(payload));
  const headers = Buffer.concat([
    header(":event-type", type), header(":content-type", "application/json"), header(":message-type", "event"),
  ]);
  const out = Buffer.alloc(16 + headers.length + body.length);
  out.writeUInt32BE(out.length, 0);
  out.writeUInt32BE(headers.length, 4);
  out.writeUInt32BE(crc32(out.subarray(0, 8)), 8);
  headers.copy(out, 12);
  body.copy(out, 12 + headers.length);
  out.writeUInt32BE(crc32(out.subarray(0, out.length - 4)), out.length - 4);
  return out;
}

const words = Array.from({ length: 100 }, (_, n) => `w${String(n).padStart(3, "0")} `);
const padding = "abcdefghijklmnopqrstuvwxyzABCDE";

function encode(response) {
  response.write(frame("messageStart", { role: "assistant", p: padding }));
  for (const text of words)
    response.write(frame("contentBlockDelta", { contentBlockIndex: 0, delta: { text }, p: padding }));
  response.write(frame("contentBlockStop", { contentBlockIndex: 0, p: padding }));
  response.write(frame("messageStop", { stopReason: "end_turn", p: padding }));
  response.write(frame("metadata", { usage: { inputTokens: 30, outputTokens: 100 }, p: padding }));
  response.end();
}

const steps = [];
if (mode === "absolute") {
  const raw = readFileSync(file);
  const split = raw.indexOf("\n\n");
  let at = split + 2;
  for (const line of raw.subarray(0, split).toString().split("\n")) {
    const [moment, length] = line.split(" ").map(Number);
    steps.push([moment / 1e6, raw.subarray(at, at + length)]);
    at += length;
  }
}

function absolute(response) {
  const origin = performance.now();
  let done = 0;
  const next = () => {
    if (response.destroyed) return;
    const now = performance.now() - origin;
    while (done < steps.length && steps[done][0] <= now) response.write(steps[done++][1]);
    if (done === steps.length) response.end();
    else setTimeout(next, Math.max(0, steps[done][0] - (performance.now() - origin)));
  };
  next();
}

createServer((request, response) => {
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    JSON.parse(Buffer.concat(chunks).toString());
    response.socket.setNoDelay(true);
    response.writeHead(200, { "Content-Type": "application/vnd.amazon.eventstream" });
    mode === "encode" ? encode(response) : absolute(response);
  });
}).listen({ port: Number(port), host: "127.0.0.1", backlog: 2048 });
