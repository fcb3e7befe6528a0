"""The semantic rules of Bedrock and its models, in the order they are judged in. See `rule`.

Sources are recorded calls, what users report in public, and the documentation; each rule says which. A
recorded call that went well is never refused: where it contradicts what is reported, the recording wins.
"""

from functools import lru_cache

from converse_emulator.choosing.conversation import messages
from converse_emulator.choosing.request import Request
from converse_emulator.judging.content_rules import CONTENT_RULES
from converse_emulator.judging.model_rules import MODEL_RULES
from converse_emulator.judging.request_rules import IDENTIFIER_RULES, REQUEST_RULES
from converse_emulator.judging.rule import Rule, Subject
from converse_emulator.judging.turn_rules import TURN_RULES
from converse_emulator.judging.verdicts import FirstFrame, Refused, Validation, Verdict
from converse_emulator.models.catalogue import Catalogue, Model, packaged, unlisted
from converse_emulator.models.model_ids import identify

RULES = (*IDENTIFIER_RULES, *REQUEST_RULES, *CONTENT_RULES, *TURN_RULES, *MODEL_RULES)


def judge(request: Request, mode: Validation = "strict", catalogue: Catalogue | None = None) -> Verdict:
    """What a request that keeps the service model's constraints is refused with; None if it is in order."""
    if mode != "strict":
        return None
    catalogue = catalogue or packaged()
    subject = _subject(request, catalogue)
    for rule in _binding(request.operation, subject.model, catalogue.enforce, catalogue.waive):
        message = rule.broken_by(subject)
        if message is None:
            continue
        if rule.layer == "model" and request.operation == "ConverseStream":
            return FirstFrame(rule.name, message)
        return Refused(rule.name, rule.error, message)
    return None


@lru_cache(maxsize=256)
def _binding(
    operation: str, model: Model, enforce: frozenset[str], waive: frozenset[str]
) -> tuple[Rule, ...]:
    """The rules that such requests have to keep."""
    enforce, waive = enforce | model.enforce, waive | model.waive
    return tuple(
        rule
        for rule in RULES
        if rule.binds(operation, model)
        and (rule.by_default or rule.name in enforce)
        and rule.name not in waive
    )


def _subject(request: Request, catalogue: Catalogue) -> Subject:
    model = catalogue.find(request.model_id)
    return Subject(
        request.operation,
        request.model_id,
        identify(catalogue.resolve(request.model_id)),
        model or unlisted(request.model_id),
        model is not None,
        request.body,
        messages(request.body),
    )
