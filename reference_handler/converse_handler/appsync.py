"""AppSync Events as a handler uses it: `POST /event`, signed or with an API key. No SDK can do that.

The calls block, so each one runs in a thread of anyio's.
"""

import json
from collections.abc import Sequence
from functools import partial
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import anyio.to_thread
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.session import Session, get_session
from urllib3 import PoolManager
from urllib3.exceptions import HTTPError

from converse_handler.publishing import NotPublished
from converse_handler.settings import SettingsError

TIMEOUT = 5.0  # seconds that one publish may take
POOL = 100  # connections kept for reuse
AGAIN = {408, 429, 500, 502, 503, 504}


class AppSync:
    """`endpoint` is `https://….appsync-api.REGION.amazonaws.com/event`. Without an API key calls are signed,
    with credentials as AWS finds them. Raises `SettingsError`."""

    def __init__(self, endpoint: str, api_key: str = "") -> None:
        parts = urlsplit(endpoint)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise SettingsError(f"CHAT_APPSYNC_ENDPOINT is {endpoint!r}; allowed is https://HOST/event")
        self.endpoint = endpoint
        self._api_key = api_key
        self._http = PoolManager(maxsize=POOL, retries=False, timeout=TIMEOUT)
        self._session: Session | None = None
        if not api_key:
            self._session = get_session()
            if self._session.get_credentials() is None:
                raise SettingsError("AppSync needs CHAT_APPSYNC_API_KEY, or AWS credentials that may publish")

    @property
    def host(self) -> str:
        """What browsers name as `host` in their authorization."""
        return urlsplit(self.endpoint).netloc

    async def publish(self, channel: str, events: Sequence[str]) -> Sequence[int]:
        """Publish texts of JSON; the places of those that were not taken. Raises `NotPublished`."""
        return await anyio.to_thread.run_sync(partial(self._publish, channel, events), abandon_on_cancel=True)

    def _publish(self, channel: str, events: Sequence[str]) -> Sequence[int]:
        body = json.dumps({"channel": channel, "events": list(events)}).encode()
        try:
            response = self._http.request("POST", self.endpoint, body=body, headers=self._headers(body))
        except HTTPError as error:
            raise NotPublished(f"no answer from AppSync: {error}", again=True) from error
        if response.status != 200:
            raise NotPublished(
                f"AppSync answered {response.status}: {response.data[:300]!r}", again=response.status in AGAIN
            )
        failures: list[dict[str, Any]] = response.json().get("failed", [])
        return [failure["index"] for failure in failures]

    def _headers(self, body: bytes) -> dict[str, str]:
        headers = {"content-type": "application/json", "accept": "application/json"}
        if self._session is None:
            return {**headers, "x-api-key": self._api_key}
        request = AWSRequest("POST", self.endpoint, headers=headers, data=body)
        credentials = self._session.get_credentials().get_frozen_credentials()  # these may change any time
        SigV4Auth(credentials, "appsync", self._region()).add_auth(request)
        return dict(request.headers.items())

    def _region(self) -> str:
        _, _, region = self.host.partition(".appsync-api.")
        known = self._session.get_config_variable("region") if self._session else None
        return region.partition(".")[0] or known or "us-east-1"


def realtime_url(endpoint: str) -> str:
    """The WebSocket that belongs to an endpoint: another host on AWS, the same with a domain of your own."""
    parts = urlsplit(endpoint)
    host = parts.netloc.replace(".appsync-api.", ".appsync-realtime-api.")
    return urlunsplit(("wss" if parts.scheme == "https" else "ws", host, f"{parts.path}/realtime", "", ""))
