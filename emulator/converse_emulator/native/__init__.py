"""InvokeModel and InvokeModelWithResponseStream: scenarios, spelt in the models' own formats."""

from converse_emulator.native.invoking import (
    documents,
    invoke_model,
    invoke_model_with_response_stream,
    judge,
    read,
    silent,
    wordless,
)

__all__ = [
    "documents",
    "invoke_model",
    "invoke_model_with_response_stream",
    "judge",
    "read",
    "silent",
    "wordless",
]
