"""Programs that push, behind a WebSocket API or before an Event API: they are told where when they start."""

import hashlib
import hmac
import secrets
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import httpx
from converse_hops import AppSyncEvents, Function, Hop, WebSocketApi
from converse_hops.websocket.limits import Limits

from converse_contract.delivery.path import Tuning
from converse_contract.delivery.program import Program, running, without_real_aws

INTEGRATION = "/websocket"  # where a service gets the events of a WebSocket API
NAMESPACE, KEY = "chat", "da2-local"  # of the Event API


@dataclass(frozen=True, slots=True)
class Api:
    """The hop with the program that belongs to it, and where a browser begins."""

    hop: Hop
    far_end: str


class Integration:
    """Posts events to a service whose URL is known later than the API's."""

    url = ""

    async def __call__(self, event: Mapping[str, Any]) -> Any:
        async with httpx.AsyncClient(trust_env=False, timeout=60.0) as client:
            response = await client.post(self.url, json=event)
        response.raise_for_status()
        return response.json() if response.content else None


def websocket_api(program: Program, env: Mapping[str, str], tuning: Tuning, stack: ExitStack) -> Api:
    """A WebSocket API, and behind it a service, or else a function."""
    routes = ["$connect", "$default"] + ["$disconnect"] * (not tuning.silent_leaving)
    usual = Limits()
    limits = Limits(idle=tuning.idle or usual.idle, lifetime=tuning.total or usual.lifetime)
    own = dict(env)
    integration = Integration()
    command = without_real_aws(program.function)
    target: Any = integration if program.service else Function(command, env=own)
    api = stack.enter_context(
        WebSocketApi(target, routes=routes, limits=limits, post_latency=tuning.post_latency)
    )
    own["CHAT_WEBSOCKET_ENDPOINT"] = own["AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI"] = api.management_url
    if isinstance(target, Function):
        own["AWS_ENDPOINT_URL_LAMBDA"] = target.url
    else:
        integration.url = stack.enter_context(running(program.service, own)) + INTEGRATION
    return Api(api, api.connect_url)


def event_api(program: Program, env: Mapping[str, str], tuning: Tuning, stack: ExitStack) -> Api:
    """An Event API, and a service that publishes to it; its tickets let browsers listen."""
    secret = secrets.token_hex()

    def authorize(event: Mapping[str, Any]) -> Mapping[str, Any]:
        return _authorized(event, secret)

    api = stack.enter_context(
        AppSyncEvents(
            namespaces=[NAMESPACE],
            api_keys=[KEY],
            authorizer=authorize,
            reorder=tuning.reorder,
            drop=tuning.drop,
        )
    )
    own = {
        **env,
        "CHAT_APPSYNC_ENDPOINT": f"{api.url}/event",
        "CHAT_APPSYNC_NAMESPACE": NAMESPACE,
        "CHAT_APPSYNC_API_KEY": KEY,
        "CHAT_APPSYNC_SECRET": secret,
    }
    return Api(api, stack.enter_context(running(program.service, own)))


def _authorized(event: Mapping[str, Any], secret: str) -> Mapping[str, Any]:
    """The Lambda authorizer: a ticket, `USER.EXPIRES.SIGNATURE`, may connect and listen to `/chat/USER/…`."""
    claim, _, signature = str(event.get("authorizationToken", "")).rpartition(".")
    user, _, expires = claim.partition(".")
    right = hmac.digest(secret.encode(), claim.encode(), hashlib.sha256).hex()
    asked = event["requestContext"]
    valid = hmac.compare_digest(right, signature) and expires.isdigit() and time.time() < int(expires)
    own = (asked.get("channel") or "").startswith(f"/{NAMESPACE}/{user}/") and "*" not in asked["channel"]
    allowed = asked["operation"] == "EVENT_CONNECT" or (asked["operation"] == "EVENT_SUBSCRIBE" and own)
    return {"isAuthorized": valid and allowed, "handlerContext": {"user": user} if valid else {}}
