"""Certificates: the user's own, or those of an authority that is made on first use and then kept.

Nobody trusts the authority but clients that are told to: it is in no trust store, only in a file. Its key is
readable by the user alone. Whatever name a client calls the emulator by gets a certificate when it comes up,
so that in a network of containers, too, there is nothing to configure but the file to trust.
"""

import logging
import shutil
import ssl
import tempfile
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from converse_emulator.errors import EmulatorError

if TYPE_CHECKING:
    import trustme

NAME = "converse-emulator"
logger = logging.getLogger(__name__)
CA_BUNDLE = "ca.pem"
LOOPBACK = ("localhost", "127.0.0.1", "::1")
MOST_NAMES = 64  # whose certificates are kept


class TlsError(EmulatorError):
    """There is no certificate to be had, or one that does not hold; the text says what to do."""


class _Handshake(ssl.SSLObject):
    """A connection that tells why there is none: a client that trusts nobody here hardly says it itself."""

    def do_handshake(self) -> None:
        try:
            super().do_handshake()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except ssl.SSLError as error:
            advice = next((text for reason, text in _ADVICE.items() if reason in str(error)), str(error))
            logger.warning("A TLS handshake failed: %s", advice)
            raise


_ADVICE = {
    "UNKNOWN_CA": "the client does not trust the certificate; tell it the file of the authority",
    "HTTP_REQUEST": "the client speaks HTTP without TLS; the URL begins with https://",
}


class Tls:
    """The context of a server, and the file of the authority that its clients are to trust.

    With certificates of the user's own, `ca_bundle` is None: who is to be trusted is theirs to know.
    """

    def __init__(self, context: ssl.SSLContext, ca_bundle: Path | None = None) -> None:
        self.context = context
        self.ca_bundle = ca_bundle


def users_tls(certificate: str | Path, key: str | Path, protocols: list[str]) -> Tls:
    """TLS with a certificate chain and its key, both PEM files; raises `TlsError`."""
    context = _context(protocols)
    try:
        context.load_cert_chain(certificate, key)
    except OSError as error:  # an `SSLError` is one
        raise TlsError(
            f"{certificate} and {key} are not a certificate and its key in PEM: {error}"
        ) from error
    return Tls(context)


def own_tls(host: str, protocols: list[str]) -> Tls:
    """TLS with certificates of the emulator's authority for `host`, loopback, and any name that is asked for.

    Raises `TlsError`.
    """
    folder = authority_folder()
    try:
        ca_bundle, authority = _authority(folder)
    except (OSError, ValueError) as error:
        raise TlsError(f"the certificate authority in {folder} cannot be used: {error}") from error

    @lru_cache(MOST_NAMES)
    def context_of(*names: str) -> ssl.SSLContext:
        context = _context(protocols)
        authority.issue_cert(*names, organization_name=NAME).configure_cert(context)
        return context

    def named(connection: ssl.SSLObject, name: str | None, _: Any) -> None:
        if name and name not in LOOPBACK:
            try:
                connection.context = context_of(name)
            except ValueError:  # no name that a certificate can have: the client will not like ours
                return

    context = context_of(*dict.fromkeys([*LOOPBACK, host]))
    context.sni_callback = named
    return Tls(context, ca_bundle)


def client_context() -> ssl.SSLContext:
    """For calls to emulators: it trusts whom this machine trusts (`SSL_CERT_FILE`), and its own authority."""
    context = ssl.create_default_context()
    with suppress(TlsError, OSError):  # there is none, or it cannot be read; the server may be another's
        context.load_verify_locations(authority_folder() / CA_BUNDLE)
    return context


def authority_folder() -> Path:
    """Where the authority is kept: its certificate, which clients are to trust, and its key."""
    try:
        import platformdirs
    except ImportError as error:
        raise _missing(error) from error
    return platformdirs.user_data_path(NAME) / "authority"


def _authority(folder: Path) -> "tuple[Path, trustme.CA]":
    """The certificate file of the authority in this folder, and the authority; made if it is not there."""
    try:
        import trustme
    except ImportError as error:
        raise _missing(error) from error
    ca_bundle, key = folder / CA_BUNDLE, folder / "ca.key"
    if not folder.exists():
        made = trustme.CA(organization_name=NAME, organization_unit_name="made by this machine for itself")
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix="authority-", dir=folder.parent))  # nobody else may look into it
        made.cert_pem.write_to_path(draft / ca_bundle.name)
        (draft / key.name).touch(mode=0o600)
        made.private_key_pem.write_to_path(draft / key.name)
        try:
            draft.rename(folder)
        except OSError:  # another emulator was faster
            shutil.rmtree(draft)
    return ca_bundle, trustme.CA.from_pem(ca_bundle.read_bytes(), key.read_bytes())


def _missing(error: ImportError) -> TlsError:
    return TlsError(
        f"to make certificates, {error.name} is needed: pip install 'converse-emulator[tls]'; "
        "or give a certificate of your own"
    )


def _context(protocols: list[str]) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.sslobject_class = _Handshake
    context.set_alpn_protocols(protocols)
    return context
