"""Credentials in a YAML file: who may call the emulator under `--auth strict`.

access_keys:
  AKIAIOSFODNN7EXAMPLE:
    secret: wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY
    session_token: any-token               # then requests must carry it
    expires: 2026-12-31T23:59:59Z
    arn: arn:aws:iam::123456789012:user/developer
    policy:
      - allow: ["bedrock:InvokeModel*"]
        models: ["anthropic.*", "us.anthropic.*"]
      - deny: ["*"]
        models: ["*opus*"]
api_keys:
  ABSKexample: {arn: "arn:aws:iam::123456789012:user/BedrockAPIKey-1"}
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from converse_emulator.admission.policy import Identity, Statement
from converse_emulator.language.arguments import NAME, pattern
from converse_emulator.language.forms import Form, Made
from converse_emulator.language.loader import read_file
from converse_emulator.language.records import Field, ListOf, MapOf, Record

ARN = "arn:aws:iam::123456789012:user/developer"


@dataclass(frozen=True, slots=True)
class AccessKey:
    """A secret, and whose it is. A key with a session token is valid with it only."""

    secret: str
    identity: Identity
    session_token: str | None = None
    expires: datetime | None = None


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A Bedrock API key, sent as a bearer token."""

    identity: Identity
    expires: datetime | None = None


@dataclass(frozen=True, slots=True)
class Credentials:
    """All access keys and API keys, by what a request shows of them."""

    access_keys: Mapping[str, AccessKey]
    api_keys: Mapping[str, ApiKey]


def load_credentials(path: str | Path) -> Credentials:
    """The credentials of a file; raises `ScenarioError`."""
    return read_file(_FILE, path)


def _time(text: str) -> datetime:
    time = datetime.fromisoformat(text)
    return time.replace(tzinfo=time.tzinfo or UTC)


def _statement(
    allow: tuple[str, ...] = (), deny: tuple[str, ...] = (), models: tuple[str, ...] = ("*",)
) -> Statement:
    if bool(allow) == bool(deny):
        raise ValueError("a statement has either `allow` or `deny`")
    return Statement("allow", allow, models) if allow else Statement("deny", deny, models)


def _access_key(secret: str, arn: str = ARN, policy: Any = None, **rest: Any) -> AccessKey:
    return AccessKey(secret, Identity(arn, policy), **rest)


def _api_key(arn: str = ARN, policy: Any = None, **rest: Any) -> ApiKey:
    return ApiKey(Identity(arn, policy), **rest)


_GLOBS = ListOf(NAME, at_least=1)
_STATEMENT: Form[Statement] = Record(
    _statement,
    {
        "allow": Field(_GLOBS, "Globs of actions that are allowed."),
        "deny": Field(_GLOBS, "Globs of actions that are denied, whatever else allows them."),
        "models": Field(_GLOBS, "Globs of model ids or ARNs; all if not given."),
    },
)
_COMMON = {
    "arn": Field(pattern("the ARN of a user or a role", r"arn:[^:]+:[^:]+:[^:]*:\d{12}:.+"), "Whose it is."),
    "expires": Field(
        Made(pattern("a time as 2026-12-31T23:59:59Z", r"\d{4}-\d\d-\d\d.*"), _time), "Valid until."
    ),
    "policy": Field(ListOf(_STATEMENT), "What may be done; everything if not given."),
}
_ACCESS_KEY: Form[AccessKey] = Record(
    _access_key,
    {
        "secret": Field(NAME, "The secret access key.", required=True),
        "session_token": Field(NAME, "The session token of temporary credentials."),
        **_COMMON,
    },
)
_FILE: Form[Credentials] = Record(
    lambda access_keys=None, api_keys=None: Credentials(access_keys or {}, api_keys or {}),
    {
        "access_keys": Field(
            MapOf(_ACCESS_KEY, pattern("an access key id without a slash", r"[^/\s,]+")),
            "By their access key ids.",
        ),
        "api_keys": Field(MapOf(Record(_api_key, _COMMON)), "By the keys themselves."),
    },
)
