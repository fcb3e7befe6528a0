"""Calls a Bedrock endpoint as an SDK would, and keeps the response as it stood on the wire."""

import http.client
import json
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from converse_emulator.errors import EmulatorError
from converse_emulator.language.scenario import Json

TIMEOUT = 60.0  # seconds


class NoAnswer(EmulatorError):
    """The endpoint cannot be reached, or does not answer in HTTP."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A response: header names in their own case and order; chunks joined."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        """The value of a header, whatever its case."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


def call(endpoint: str, operation: str, model_id: str, body: Json) -> Answer:
    """POST `body` to `/model/{model_id}/{operation}`, signed with the environment's credentials, if any."""
    parts = urlsplit(endpoint)
    path = f"{parts.path.rstrip('/')}/model/{quote(model_id, safe='')}/{operation}"
    content = json.dumps(body).encode()
    url = f"{parts.scheme}://{parts.netloc}{path}"
    connection = _connection(parts.scheme, parts.netloc)
    try:
        connection.request("POST", path, content, _signed(url, content))
        response = connection.getresponse()
        return Answer(response.status, tuple(response.getheaders()), response.read())
    except (OSError, http.client.HTTPException) as error:
        raise NoAnswer(f"{url} does not answer: {error!r}") from error
    finally:
        connection.close()


def _connection(scheme: str, host: str) -> http.client.HTTPConnection:
    if scheme != "https":
        return http.client.HTTPConnection(host, timeout=TIMEOUT)
    from converse_emulator.tls import client_context

    return http.client.HTTPSConnection(host, timeout=TIMEOUT, context=client_context())


def _signed(url: str, content: bytes) -> dict[str, str]:
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.session import Session

    session = Session()
    headers = {"Content-Type": "application/json"}
    credentials = session.get_credentials()
    if credentials is None:
        return headers
    request = AWSRequest("POST", url, headers, content)
    SigV4Auth(credentials, "bedrock", session.get_config_variable("region") or "us-east-1").add_auth(request)
    return {name: str(value) for name, value in request.headers.items()}
