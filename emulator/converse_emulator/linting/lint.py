"""Judges a captured ConverseStream body, or a live endpoint, rule by rule, and says where each breach is."""

from collections.abc import Sequence
from dataclasses import dataclass

from converse_emulator.linting.endpoint_rules import ENDPOINT_RULES, EndpointRule, ask
from converse_emulator.linting.wire_frames import take_apart
from converse_emulator.linting.wire_rules import RULES, Rule

SHOWN = 3  # breaches of one rule that are printed


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one rule found, a line for each breach; it holds when there are none.

    `judged` is false where there was nothing that could have broken it.
    """

    rule: Rule | EndpointRule
    breaches: tuple[str, ...]
    judged: bool = True


def judge_body(body: bytes) -> list[Judgement]:
    """The judgement of every rule of an event-stream body."""
    capture = take_apart(body)
    found = [
        (rule, tuple(f"at 0x{breach.offset:06x}  {breach.what}" for breach in rule.check(capture)))
        for rule in RULES
    ]
    return [Judgement(rule, told, bool(capture.frames or told)) for rule, told in found]


def judge_endpoint(endpoint: str, model_id: str) -> list[Judgement]:
    """The judgement of every rule of an endpoint, and of the body that it streams."""
    answers = ask(endpoint, model_id)
    of_http = [Judgement(rule, tuple(rule.check(answers))) for rule in ENDPOINT_RULES]
    return of_http + judge_body(answers.stream.body)


def report(judgements: Sequence[Judgement]) -> list[str]:
    """A line for each rule, and under a broken one its first breaches."""
    lines = []
    for judgement in judgements:
        rule, breaches = judgement.rule, judgement.breaches
        sign = "✗" if breaches else "✓" if judgement.judged else "-"
        lines.append(f"{sign} {rule.name:<16} {rule.requirement}")
        lines += [f"    {breach}" for breach in breaches[:SHOWN]]
        if len(breaches) > SHOWN:
            lines.append(f"    and {len(breaches) - SHOWN} more")
    broken = sum(bool(judgement.breaches) for judgement in judgements)
    unjudged = sum(not judgement.judged for judgement in judgements)
    rest = f"; there was nothing to judge {unjudged} by" if unjudged else ""
    lines.append(f"{len(judgements) - broken - unjudged} of {len(judgements)} rules hold{rest}")
    return lines
