"""The options of `converse-emulator hop appsync-events`."""

import argparse
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from converse_hops.appsync.callers import Authorizer

API_KEY = "da2-local"


def add(parser: argparse.ArgumentParser) -> None:
    """Add them."""
    add = parser.add_argument
    add(
        "--namespace",
        action="append",
        help="a channel namespace (default: default); several may be",
    )
    add("--api-key", action="append", help=f"a key that is let in (default: {API_KEY}); several may be")
    add("--credentials", metavar="FILE", help="access keys that may sign, as for `serve` (YAML)")
    add("--authorizer", metavar="MODULE:FUNCTION", type=_function, help="a Lambda authorizer, in Python")
    add("--event-as", choices=("array", "string"), default="array", help="how `data` carries an event")
    add("--refusal", choices=("message", "http"), default="message", help="how a handshake is refused")
    add("--drop", type=_chance, default=0.0, help="each event's chance to get lost (default: 0)")
    add("--reorder", type=_chance, default=0.0, help="each event's chance to be overtaken (default: 0)")
    add("--seed", default="0", help="the same seed draws the same chances (default: 0)")


def arguments(given: argparse.Namespace) -> dict[str, Any]:
    """What the hop is made of."""
    same = ("authorizer", "event_as", "refusal", "drop", "reorder", "seed", "host", "port", "speed")
    return {
        "namespaces": given.namespace or ("default",),
        "api_keys": given.api_key or (API_KEY,),
        "access_keys": _access_keys(given.credentials),
        **{name: getattr(given, name) for name in same},
    }


def _access_keys(path: str | None) -> Mapping[str, str]:
    if path is None:
        return {}
    from converse_emulator.admission.credentials import load_credentials  # reads YAML

    return {id: key.secret for id, key in load_credentials(path).access_keys.items()}


def _function(text: str) -> Authorizer:
    module, _, name = text.partition(":")
    try:
        found: Authorizer = getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no MODULE:FUNCTION that can be imported: {error}"
        ) from error
    return found


def _chance(text: str) -> float:
    try:
        chance = float(text)
    except ValueError:
        chance = -1.0
    if not 0 <= chance <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no chance; it is a number from 0 to 1")
    return chance
