"""Channels: their names, what a wildcard covers, and who may do what with them.

A name has one to five segments, the first one being the namespace; a subscription may end with `/*`. Source:
the Event API's documentation of the WebSocket protocol and of channel namespaces.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal, Self, get_args

Mode = Literal["API_KEY", "AWS_IAM", "AWS_LAMBDA"]  # the last one stands for OIDC and Cognito too
Action = Literal["connect", "publish", "subscribe"]
ANY = "/*"
USER = "{user}"  # in a rule's channel: the name of the caller

_SEGMENT = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,48}[A-Za-z0-9])?"
_NAME = re.compile(rf"/?{_SEGMENT}(?:/{_SEGMENT}){{0,4}}/?")


class BadChannel(ValueError):
    """Not a channel's name; the text says what one looks like."""


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel, or with `wildcard` all that are beneath it."""

    segments: tuple[str, ...]
    wildcard: bool = False

    @classmethod
    def read(cls, name: object, *, wildcard: bool = False) -> Self:
        """The channel of that name; with `wildcard` it may end with `/*`. Raises `BadChannel`."""
        text = name if isinstance(name, str) else ""
        every = wildcard and text.endswith(ANY)
        if every:
            text = text.removesuffix(ANY)
        if not _NAME.fullmatch(text):
            raise BadChannel(
                "a channel is 1 to 5 segments of at most 50 letters, digits and inner dashes, as in "
                f"/namespace/channel{'; or of a subscription, /namespace/*' if wildcard else ''}"
            )
        return cls(tuple(text.strip("/").split("/")), every)

    @property
    def namespace(self) -> str:
        return self.segments[0]

    def covers(self, other: "Channel") -> bool:
        """Whether everything of the other one is in this one. A wildcard does not cover its own stem."""
        if not self.wildcard:
            return self == other
        stem = other.segments[: len(self.segments)]
        longer = len(other.segments) > len(self.segments)
        return stem == self.segments and (longer or other.wildcard)

    def __str__(self) -> str:
        return f"/{'/'.join(self.segments)}{ANY if self.wildcard else ''}"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: how they proved it, and the name that they proved (the key's id, the token's user)."""

    mode: Mode
    name: str


May = Callable[[Caller, Action, Channel | None], bool]  # no channel: to connect


def anybody(_caller: Caller, _action: Action, _channel: Channel | None) -> bool:
    """Whoever is known may do everything: an API as the console makes it, without handlers of its own."""
    return True


@dataclass(frozen=True, slots=True)
class Allow:
    """One line of a table of rules: `Allow("subscribe", "/chat/{user}/*", modes=("AWS_LAMBDA",))`."""

    action: Action
    channel: str = ""  # only for connect
    modes: tuple[Mode, ...] = get_args(Mode)

    def allows(self, caller: Caller, action: Action, channel: Channel | None) -> bool:
        if action != self.action or caller.mode not in self.modes:
            return False
        return channel is None or self._of(caller).covers(channel)

    def _of(self, caller: Caller) -> Channel:
        rule = Channel.read(self.channel.replace(USER, "user"), wildcard=True)
        named = zip(self.channel.strip("/").split("/"), rule.segments, strict=False)
        # The name replaces a whole segment, so one with a slash or a star in it matches nothing.
        return Channel(
            tuple(caller.name if raw == USER else segment for raw, segment in named), rule.wildcard
        )


def only(rules: Iterable[Allow]) -> May:
    """What the rules allow, and nothing else."""
    table = tuple(rules)
    return lambda caller, action, channel: any(rule.allows(caller, action, channel) for rule in table)
