// What the Node scripts share: the question, the tool, and the line of JSON that tells what the user saw.

export const MODEL = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";
export const REGION = "us-east-1";
export const PROMPT = "When does the subscription of customer C-100 renew?";
export const MAX_TOKENS = 256;

export const TOOL = "lookup_subscription";
export const TOOL_TEXT = "Look up the subscription of a customer.";
export const TOOL_SCHEMA = {
  type: "object",
  properties: { customer_id: { type: "string" } },
  required: ["customer_id"],
};

export const lookupSubscription = ({ customer_id }) => `The subscription of ${customer_id} renews on 1 March.`;

/** What the user has seen so far; kept as it comes, so that an error leaves what came before it. */
class Seen {
  text = "";
  tools = [];
  stop = null;
  usage = null;
  error_class = null;
  error_text = null;

  constructor(condition) {
    Object.defineProperty(this, "withTools", { value: condition === "tools", enumerable: false });
  }

  /** A call of a tool; the client may give its input as JSON text. */
  call(name, input) {
    this.tools.push({ name, input: typeof input === "string" ? JSON.parse(input || "{}") : input });
  }

  used(input, output) {
    this.usage = { input, output };
  }

  failed(error) {
    this.error_class = error?.name ?? typeof error;
    this.error_text = error?.message ?? JSON.stringify(error);
  }
}

/** Run `talk(endpoint, seen)` and print what was seen. */
export async function main(talk) {
  const [endpoint, condition] = process.argv.slice(2);
  const seen = new Seen(condition);
  try {
    await talk(endpoint, seen);
  } catch (error) {
    seen.failed(error);
  }
  process.stdout.write(`${JSON.stringify(seen)}\n`, () => process.exit(0)); // open connections would keep it alive
}
