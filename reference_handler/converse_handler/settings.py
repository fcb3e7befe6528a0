"""What can be set, and what it is if nothing is said. All durations are seconds."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from urllib.parse import urlsplit

from converse_handler.deadlines import Limits
from converse_handler.retry import Retries


class SettingsError(ValueError):
    """Environment variables that cannot be used; the message names each of them and what is allowed."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Each member can be set by the environment variable `CHAT_` + its name in capitals."""

    first_byte_timeout: float = 3.0
    between_bytes_timeout: float = 30.0
    total_timeout: float = 900.0
    tool_timeout: float = 10.0
    heartbeat: float = 15.0
    attempts: int = 3
    backoff: float = 0.2
    tool_rounds: int = 5
    model_id: str = "anthropic.claude-3-5-haiku-20241022-v1:0"
    max_tokens: int = 800
    system_prompt: str = "You are a friendly support assistant. Answer briefly. Use the tools for facts."
    resume_window: float = 60.0
    resume_grace: float = 0.0
    resume_events: int = 5000
    resume_answers: int = 1000
    redis_url: str = ""
    sse_paths: str = ""
    allow_origin: str = ""
    websocket_endpoint: str = ""
    appsync_endpoint: str = ""
    appsync_namespace: str = "chat"
    appsync_api_key: str = ""
    appsync_secret: str = ""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """The defaults, and what the environment says otherwise; raises `SettingsError`."""
        values: dict[str, float | int | str] = {}
        wrong = []
        for member in fields(cls):
            name = f"CHAT_{member.name.upper()}"
            if (text := environment.get(name)) is None:
                continue
            try:
                values[member.name] = _OWN.get(member.name, _READ[type(member.default)])(text)
            except ValueError as error:
                wrong.append(f"{name} is {text!r}; allowed is {error}")
        if wrong:
            raise SettingsError("\n".join(wrong))
        return cls(**values)  # type: ignore[arg-type]

    @property
    def limits(self) -> Limits:
        """The three timeouts of a stream."""
        return Limits(self.first_byte_timeout, self.between_bytes_timeout, self.total_timeout)

    @property
    def named_sse_paths(self) -> tuple[tuple[str, str], ...]:
        """Names and URLs of the further places that stream."""
        return _pairs(self.sse_paths)

    @property
    def retries(self) -> Retries:
        """How often and after how long a call is made again."""
        return Retries(self.attempts, self.backoff)


def _origin(text: str) -> str:
    url = urlsplit(text)
    if url.scheme not in ("http", "https") or not url.netloc or text != f"{url.scheme}://{url.netloc}":
        raise ValueError("an origin, as https://www.example.com")
    return text


def _named_urls(text: str) -> str:
    for name, url in _pairs(text):
        if not name or urlsplit(url).scheme not in ("http", "https"):
            raise ValueError("NAME=URL, NAME=URL with URLs that begin with http:// or https://")
    return text


def _pairs(text: str) -> tuple[tuple[str, str], ...]:
    """The names and URLs of `NAME=URL, NAME=URL`."""
    pairs = (each.partition("=") for each in text.split(",") if each.strip())
    return tuple((name.strip(), url.strip()) for name, _, url in pairs)


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise ValueError("a number of seconds above 0")
    return value


def _seconds_or_none(text: str) -> float:
    try:
        return _seconds(text) if text != "0" else 0.0
    except ValueError:
        raise ValueError("a number of seconds above 0, or 0") from None


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise ValueError("a whole number of at least 1")
    return int(text)


def _text(text: str) -> str:
    if not text.strip():
        raise ValueError("a text that is not blank")
    return text


def _redis(text: str) -> str:
    if not text.startswith(("redis://", "rediss://", "unix://")):
        raise ValueError("a URL that begins with redis://, rediss:// or unix://")
    return text


Reader = Callable[[str], float | int | str]
_READ: Mapping[type, Reader] = {float: _seconds, int: _count, str: _text}
_OWN: Mapping[str, Reader] = {
    "resume_window": _seconds_or_none,
    "resume_grace": _seconds_or_none,
    "redis_url": _redis,
    "sse_paths": _named_urls,
    "allow_origin": _origin,
}
