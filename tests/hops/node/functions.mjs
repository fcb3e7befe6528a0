// Functions for AWS's Node runtime. `awslambda` is a global of the runtime client.
import { Hono } from "hono";
import { streamHandle } from "hono/aws-lambda";
import { streamSSE } from "hono/streaming";

// Waits until the test has seen what came before.
const gate = async (name) => (await fetch(`${process.env.GATES}/${name}`)).text();

const sse = (stream, statusCode = 206) =>
  awslambda.HttpResponseStream.from(stream, {
    statusCode,
    headers: { "content-type": "text/event-stream" },
    cookies: ["a=b"],
  });

export const streaming = awslambda.streamifyResponse(async (event, stream) => {
  stream = sse(stream);
  for (const number of [0, 1, 2]) {
    if (number) await gate(number);
    stream.write(`id: ${number}\ndata: ${number}\n\n`);
  }
  stream.end();
});

export const breaking = awslambda.streamifyResponse(async (event, stream) => {
  stream = sse(stream);
  stream.write("data: 0\n\n");
  await gate(1);
  throw new TypeError("boom");
});

export const throwing = awslambda.streamifyResponse(async () => {
  throw new TypeError("boom");
});

export const plain = awslambda.streamifyResponse(async (event, stream) => {
  stream.setContentType("text/event-stream");
  stream.write("data: 0\n\n");
  stream.end();
});

export const empty = awslambda.streamifyResponse(async (event, stream) => {
  sse(stream).end();
});

export const endOnly = awslambda.streamifyResponse(async (event, stream) => {
  sse(stream).end("data: 0\n\n");
});

export const ordinary = async () => ({
  statusCode: 206,
  headers: { "content-type": "text/event-stream" },
  body: "data: 0\n\n",
});

export const ordinaryThrowing = async () => {
  throw new TypeError("boom");
};

const app = new Hono();
app.post("/chat", async (context) => {
  const { prompt } = await context.req.json();
  return streamSSE(context, async (stream) => {
    await stream.writeSSE({ data: prompt, id: "0" });
    await gate(1);
    await stream.writeSSE({ data: "two", id: "1" });
  });
});
export const hono = streamHandle(app);
