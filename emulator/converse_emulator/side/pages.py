"""Lists in pages: `maxResults` at a time, and a `nextToken` that leads on."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence

from converse_emulator.http.refusals import ServiceError
from converse_emulator.language.scenario import Json

MOST = 1000  # of a page, if the request does not say


def page(name: str, items: Sequence[Json], members: Mapping[str, Json]) -> dict[str, Json]:
    """The page that a request asks for; its items stand under `name`."""
    start = _position(members.get("nextToken"), len(items))
    end = start + int(members.get("maxResults") or MOST)
    more = {"nextToken": urlsafe_b64encode(str(end).encode()).decode()} if end < len(items) else {}
    return {name: list(items[start:end]), **more}


def _position(token: str | None, length: int) -> int:
    if token is None:
        return 0
    try:
        position = int(urlsafe_b64decode(token))
    except ValueError:
        position = -1
    if not 0 < position <= length:
        raise ServiceError("ValidationException", "The provided nextToken is invalid.")
    return position
