"""The clients of clients.toml."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from conformance.conditions import CONDITIONS

FILE = Path(__file__).with_name("clients.toml")

Kind = Literal["python", "cli", "node"]


@dataclass(frozen=True, slots=True)
class Client:
    """A client in one version, and what is to be known to run it. clients.toml explains the members."""

    id: str
    kind: Kind
    packages: tuple[str, ...]
    script: str
    operation: str
    protocol: str
    tls: bool = False
    quick: bool = False
    python: str = "3.11"
    conditions: tuple[str, ...] = tuple(CONDITIONS)

    @property
    def name(self) -> str:
        """The package that the client is called by, as in `pydantic-ai-slim[bedrock]`."""
        return self._split()[0]

    @property
    def version(self) -> str:
        return self._split()[1]

    @property
    def isolated(self) -> str:
        """What its environment depends on: if this text changes, it is made anew."""
        return "\n".join([self.kind, self.python, *self.packages])

    def _split(self) -> tuple[str, str]:
        separator = "@" if self.kind == "node" else "=="
        name, _, version = self.packages[0].rpartition(separator)
        return name, version


def load_clients(file: Path = FILE) -> Mapping[str, Client]:
    """All clients by their id, in the order of the file."""
    tables = tomllib.loads(file.read_text(encoding="utf-8"))
    return {name: _client(name, table) for name, table in tables.items()}


def _client(name: str, table: dict[str, Any]) -> Client:
    lists = {key: tuple(value) for key, value in table.items() if isinstance(value, list)}
    return Client(**{"id": name, **table, **lists})
