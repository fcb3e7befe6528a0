"""The real programs of peers.toml, that tests put at the other end of a hop.

    python -m conformance.peers [PEER …]

installs them. One that cannot be had on this machine is named and left out; exit status 1 then.
"""

import sys
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from conformance.environments import Unavailable, build, program

FILE = Path(__file__).with_name("peers.toml")


@dataclass(frozen=True, slots=True)
class Peer:
    """A program in one version, and how it is installed. peers.toml explains the members."""

    id: str
    kind: Literal["node", "python", "wheel"]
    packages: tuple[str, ...]
    needs: tuple[str, ...] = ()
    python: str = "3.11"

    @property
    def isolated(self) -> str:
        """What its environment depends on: if this text changes, it is made anew."""
        return "\n".join([self.kind, self.python, *self.packages])


def load_peers(file: Path = FILE) -> Mapping[str, Peer]:
    """All peers by their id, in the order of the file."""
    tables = tomllib.loads(file.read_text(encoding="utf-8"))
    return {name: _peer(name, table) for name, table in tables.items()}


def main(arguments: Sequence[str]) -> int:
    """Install the named peers, or all."""
    peers = load_peers()
    if unknown := [name for name in arguments if name not in peers]:
        print(f"{', '.join(unknown)}: no such peer; there are {', '.join(peers)}", file=sys.stderr)
        return 2
    return max(_install(peers[name]) for name in arguments or peers)


def _install(peer: Peer) -> int:
    try:
        for name in peer.needs:
            program(name)
        build(peer, lambda: print(f"installing {peer.id} …", flush=True))
    except Unavailable as reason:
        print(f"not available: {peer.id}: {reason}", flush=True)
        return 1
    return 0


def _peer(name: str, table: dict[str, Any]) -> Peer:
    lists = {key: tuple(value) for key, value in table.items() if isinstance(value, list)}
    return Peer(**{"id": name, **table, **lists})


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
