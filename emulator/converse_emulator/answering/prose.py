"""English-looking prose, of the words that faker has for it.

faker costs a fifth of a second to import, so its words are kept in the user's cache. They are put together
here as faker does: sentences of about six words, paragraphs of about so many sentences.
"""

from collections.abc import Sequence
from functools import cache
from random import Random

from converse_emulator.installed import version_of
from converse_emulator.user_cache import cached

_WORDS = 6  # about so many in a sentence
_SENTENCES = 7  # about so many in a paragraph
_SPREAD = 0.4  # from 60 to 140 per cent


def prose(rng: Random, *, paragraphs: int) -> str:
    """So many paragraphs."""
    return "\n\n".join(_paragraph(rng) for _ in range(paragraphs))


def _paragraph(rng: Random) -> str:
    return " ".join(_sentence(rng) for _ in range(_about(_SENTENCES, rng)))


def _sentence(rng: Random) -> str:
    words = rng.choices(_words(), k=_about(_WORDS, rng))
    return f"{words[0].title()} {' '.join(words[1:])}".rstrip() + "."


def _about(number: int, rng: Random) -> int:
    return max(1, round(number * rng.uniform(1 - _SPREAD, 1 + _SPREAD)))


@cache
def _words() -> Sequence[str]:
    words: Sequence[str] = cached(f"words-{version_of('faker')}", _fakers_words)
    return words


def _fakers_words() -> list[str]:
    from faker.providers.lorem.en_US import Provider

    return list(Provider.word_list)
