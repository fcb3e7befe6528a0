"""What an emulator may be given, read. Whatever reads it is imported only where something is given."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from converse_emulator.transport import alpn

if TYPE_CHECKING:
    from converse_emulator.admission.credentials import Credentials
    from converse_emulator.admission.quotas import Quotas
    from converse_emulator.language.wrap import Wrap
    from converse_emulator.models.catalogue import Catalogue
    from converse_emulator.tls import Tls


def credentials(path: str | Path | None) -> "Credentials | None":
    """Who is in the user's file."""
    if path is None:
        return None
    from converse_emulator.admission.credentials import load_credentials

    return load_credentials(path)


def quotas(texts: str | Iterable[str]) -> "Quotas | None":
    """The limits that these texts describe; None if there are none."""
    texts = [texts] if isinstance(texts, str) else list(texts)
    if not texts:
        return None
    from converse_emulator.admission.quotas import quotas_from

    return quotas_from(texts)


def catalogue(path: str | Path | None) -> "Catalogue | None":
    """The models of the user's file."""
    if path is None:
        return None
    from converse_emulator.models.model_file import load_catalogue  # it needs YAML, which takes 40 ms

    return load_catalogue(path)


def wrap(text: str | None) -> "Wrap | None":
    """What is done to every scenario."""
    if not text:
        return None
    from converse_emulator.language.wrap_form import read_wrap  # the grammar takes 50 ms

    return read_wrap(text, "wrap")


def tls(wanted: bool | tuple[str | Path, str | Path], host: str) -> "Tls | None":
    """The certificates to serve with."""
    if wanted is False:
        return None
    from converse_emulator.tls import own_tls, users_tls  # it needs ssl, which takes 10 ms

    return own_tls(host, alpn()) if wanted is True else users_tls(*wanted, alpn())
