"""The real programs of conformance/peers.toml. A test without its peer is skipped."""

from pathlib import Path

import pytest

from conformance.environments import folder_of, is_built
from conformance.peers import load_peers


def folder_of_peer(name: str) -> Path:
    """Where the peer is installed."""
    peer = load_peers()[name]
    if not is_built(peer):
        pytest.skip(f"no {name}; `python -m conformance.peers {name}` installs it")
    return folder_of(peer)
