"""docs/clients.md: what the user of each client sees, made from clients.toml and expected.toml.

    python -m conformance.table [--check]

It installs and runs nothing: that expected.toml tells the truth is what `conformance.runner` finds out.
"""

import sys
from collections.abc import Mapping
from pathlib import Path

from conformance.clients import Client, load_clients
from conformance.conditions import CONDITIONS
from conformance.expectations import load_expectations
from conformance.outcome import Outcome

PAGE = Path(__file__).parents[1] / "docs" / "clients.md"

INTRODUCTION = """\
# Clients

Written by `python -m conformance.table` from `conformance/clients.toml` and `conformance/expected.toml`; do
not edit. `make conformance` installs each client in an environment of its own, lets it run unmodified against
the emulator, with all its defaults, and fails if anything here is not so.

## What they meet

{conditions}

Over HTTP/2 the connection stays, since other streams are on it: a hangup is RST_STREAM with CANCEL, which
is also what Node's HTTP/2 makes of a connection that is closed or reset, and a reset is RST_STREAM with
INTERNAL_ERROR.
Converse does not stream: there the exception is an HTTP error, a cut leaves out `stopReason` and `usage`,
hangup and reset come before anything is sent, and the corrupt body is no JSON.

## At a glance

What the user learns. Of a stream that broke off only an error tells the truth; else:

- **silent**: the client ends as if nothing had happened and gives no stop reason;
- **looks complete**: it even makes up the stop reason that a complete answer has;
- *stop reason*: it gives one that a complete answer does not have.

Retries after text was shown, as Strands Agents make them, show it again.

{overview}

## Client by client

*Shown* is the text that the user has seen when it is over; of a stream that breaks it may be less, since a
client may lose what it had received and not given out yet. *Requests* are those that the emulator's journal
counted, retries among them; those of one call have the same `amz-sdk-invocation-id`, which not all clients
send.
"""


def page() -> str:
    """The whole page."""
    clients, expectations = load_clients(), load_expectations()
    conditions = _table(
        ["condition", "what happens", "scenario"],
        [[name, each.title, f"`{each.scenario}`"] for name, each in CONDITIONS.items()],
    )
    overview = _table(
        ["client", *CONDITIONS],
        [[_link(client), *_verdicts(expectations.get(client.id, {}))] for client in clients.values()],
    )
    details = (_details(client, expectations.get(client.id, {})) for client in clients.values())
    return INTRODUCTION.format(conditions=conditions, overview=overview) + "".join(details)


def _verdicts(outcomes: Mapping[str, Outcome]) -> list[str]:
    """In a word or two, whether the user learns what happened."""
    if not outcomes:
        return [""] * len(CONDITIONS)
    complete, part = outcomes["text"].stop, outcomes["cut"].text
    return [_verdict(outcomes[name], name, complete, part) for name in CONDITIONS]


def _verdict(outcome: Outcome, condition: str, complete: str, part: str) -> str:
    """`complete` is the stop reason of a complete answer, `part` the text that comes before a fault."""
    if outcome.error:
        requests = f", {outcome.requests} requests" if outcome.requests > 1 else ""
        shown = outcome.text.count(part)
        again = f", **text shown {shown} times**" if shown > 1 else ""
        return f"error{requests}{again}" if outcome.requests else "still retrying"
    if condition in ("text", "tools"):
        return "ok"
    if not outcome.stop:
        return "**silent**"
    return "**looks complete**" if outcome.stop == complete else f"*stop reason* `{outcome.stop}`"


def _details(client: Client, outcomes: Mapping[str, Outcome]) -> str:
    packages = ", ".join(f"`{package}`" for package in client.packages)
    rows = [
        [name, _code(outcome.text), _code(outcome.stop), _code(outcome.error), _requests(outcome)]
        for name, outcome in outcomes.items()
    ]
    table = _table(["condition", "shown", "stop reason", "error", "requests"], rows)
    protocol = f"{client.protocol}{' and TLS' if client.tls else ''}"
    about = f"{client.operation} over {protocol}; {packages}; `conformance/scripts/{client.script}`"
    return f"\n### {client.id}\n\n{about}\n\n{table}\n"


def _requests(outcome: Outcome) -> str:
    """How many, and in how many calls if the client tells them apart."""
    if not outcome.requests:
        return "not counted"
    if outcome.calls in (0, outcome.requests):
        return str(outcome.requests)
    return f"{outcome.requests} in {outcome.calls} call{'s' if outcome.calls > 1 else ''}"


def _link(client: Client) -> str:
    return f"[{client.name} {client.version}](#{client.id})"


def _code(text: str) -> str:
    """As code in a cell of a table; a backtick within ends no code."""
    return f"`` {text.replace('|', chr(92) + '|')} ``" if text else ""


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main(arguments: list[str]) -> int:
    """Exit status: 0, or with `--check` 1 for a stale page."""
    wanted = page()
    if arguments == ["--check"]:
        stale = not PAGE.exists() or PAGE.read_text(encoding="utf-8") != wanted
        if stale:
            print(f"{PAGE} is stale: run python -m conformance.table", file=sys.stderr)
        return int(stale)
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
