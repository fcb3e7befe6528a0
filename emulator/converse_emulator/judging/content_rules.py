"""Rules of the Converse layer on content blocks: text, images, documents, video, audio. See `rule`."""

import re

from converse_emulator.http.refusals import Evidence
from converse_emulator.judging.rule import Check, Places, Rule, Subject, when
from converse_emulator.models.catalogue import Capability

_FILE_NAME = re.compile(r"[A-Za-z0-9_()\[\]\- ]*")


def _blank(subject: Subject) -> Places | None:
    claude = subject.model.family == "claude"
    for n, m, block in subject.blocks():
        text = block.get("text")
        if isinstance(text, str) and not (text if claude else text.strip()):
            return {"n": n, "m": m}
    return None


def _has(kind: str) -> Check:
    def check(subject: Subject) -> Places | None:
        return when(any(True for _ in subject.members(kind)))

    return check


def _result_image(subject: Subject) -> Places | None:
    return when(any(True for _ in subject.result_members("image")))


def _s3(subject: Subject) -> Places | None:
    media = (each for kind in ("image", "video") for each in subject.everywhere(kind))
    return when(any("s3Location" in (each.get("source") or {}) for each in media))


def _document_alone(subject: Subject) -> Places | None:
    kinds = ({kind for block in message.blocks for kind in block} for message in subject.messages)
    return when(any("document" in each and "text" not in each for each in kinds))


def _document_name(subject: Subject) -> Places | None:
    names = (document.get("name") or "" for document in subject.everywhere("document"))
    return when(any("  " in name or not _FILE_NAME.fullmatch(name) for name in names))


def _unsupported(kind: str, lacking: Capability, evidence: Evidence = "inferred") -> Rule:
    return Rule(
        f"no-{kind}-block",
        "converse",
        f"This model doesn't support the {kind} content block that you provided. "
        "Update the content block and try again.",
        _has(kind),
        evidence,
        lacking=lacking,
        note="By analogy with the recorded text for video." if evidence == "inferred" else "",
    )


CONTENT_RULES = (
    _unsupported("image", "vision"),
    _unsupported("document", "documents"),
    _unsupported("video", "video", "recorded"),
    _unsupported("audio", "audio"),
    Rule(
        "blank-text",
        "converse",
        "The text field in the ContentBlock object at messages.{n}.content.{m} is blank. "
        "Add text to the text field, and try again.",
        _blank,
        "reported",
        "2026-09",
        but=("nova",),
        note="Nova Micro takes blank text (recorded 2026-03); for Claude see non-whitespace-text.",
    ),
    Rule(
        "no-image-in-result",
        "converse",
        "This model doesn't support the image field for user messages. Remove image and try again.",
        _result_image,
        "reported",
        "2026-09",
        but=("claude", "nova", "llama"),
    ),
    Rule(
        "no-s3",
        "converse",
        "This model doesn't support the s3Uri field. Remove s3Uri and try again.",
        _s3,
        "recorded",
        "2026-08",
        lacking="s3",
        note="Recorded for an image on Claude; documents get through to the model there.",
    ),
    Rule(
        "document-without-text",
        "converse",
        "A text block must be included when using documents. Add a text block and retry your request.",
        _document_alone,
        "recorded",
    ),
    Rule(
        "document-name",
        "converse",
        "The document file name can only contain alphanumeric characters, whitespace characters, hyphens, "
        "parentheses, and square brackets. The name can't contain more than one consecutive whitespace "
        "character. Check that the file name conforms to these restrictions and retry your request.",
        _document_name,
        "reported",
        note="An underscore is taken, no whitespace but the space is (reported); letters beyond ASCII are "
        "inferred to be refused.",
    ),
)
