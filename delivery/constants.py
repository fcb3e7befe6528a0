"""What is scripted in a run: the model's timing and the network's delays, each with where it comes from."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Constant:
    """`value` in seconds, or in what `unit` says."""

    name: str
    value: float
    source: str
    unit: str = "ms"

    def __str__(self) -> str:
        return f"{self.value * 1000:g} ms" if self.unit == "ms" else f"{self.value:g} {self.unit}"


FIRST_TOKEN = Constant("the model's first token", 0.5, 'the article: "time-to-first-token is ~500ms"')
START = Constant("a function's cold start", 0.3, 'the article: "cold is ~300ms"; where there is a function')
RATE = Constant("the model's pace", 80, 'the article: "~80 per second after the first byte"', "tokens/s")
TOKENS = Constant("the answer", 500, 'the article: "500-token response"', "tokens")
BROWSER = Constant("browser to edge, each way", 0.02, "assumed: a user in the country of the region")
BEDROCK = Constant("handler to Bedrock, each way", 0.002, "assumed: the same region")
POST = Constant("a post to @connections", 0.01, "assumed: a signed HTTPS request in the same region")
CONSTANTS = (FIRST_TOKEN, START, RATE, TOKENS, BROWSER, BEDROCK, POST)


def network(posts: bool) -> float:
    """What they add to the first byte, in seconds: there and back, and a post where there are posts."""
    return 2 * BROWSER.value + 2 * BEDROCK.value + (POST.value if posts else 0.0)
