"""Starts the emulator and the reference handler behind every path; prints the chat page's address.

The page comes from a service behind a load balancer. Its selector has the other paths, and the illusion,
which only looks as if it streamed. Ctrl-C ends all.
"""

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from converse_contract.case import Limits
from converse_contract.delivery.backend import INTEGRATION, Integration
from converse_contract.serving import environment, serving
from converse_handler.tickets import Tickets
from converse_hops import (
    AppSyncEvents,
    Function,
    FunctionUrl,
    LoadBalancer,
    RestApi,
    WebAdapter,
    WebSocketApi,
)
from converse_hops.appsync.channels import Allow, only
from converse_hops.fronts.cors import Cors

TRY = {
    "How do I cancel?": "the automatic answer",
    "When does it renew? [[scenario: tools/round-trip]]": "a tool call and its answer",
    "Tell me all. [[scenario: text/article-answer]]": "500 tokens at the article's pace",
    "Tell me all. [[scenario: stop-reasons/max-tokens]]": "(response truncated)",
    "Tell me all. [[scenario: truncation/clean-end]]": "(generation interrupted)",
}
RUNTIME = [sys.executable, "-m", "converse_handler.lambda_runtime"]
NAMESPACE, KEY, SECRET = "chat", "da2-local", "shared"
RULES = only(
    [
        Allow("connect"),
        Allow("subscribe", f"/{NAMESPACE}/{{user}}/*", modes=("AWS_LAMBDA",)),
        Allow("publish", f"/{NAMESPACE}/*", modes=("API_KEY",)),
    ]
)


@dataclass(frozen=True, slots=True)
class Chat:
    """Where the page is, and the Bedrock that answers."""

    page: str
    emulator: str


@contextmanager
def chatting() -> Iterator[Chat]:
    """All of it, until the end."""
    tickets, integration = Tickets(SECRET, NAMESPACE), Integration()

    def authorize(event: Any) -> Any:
        return tickets.authorize(event, time.time())

    with ExitStack() as stack:
        enter = stack.enter_context
        emulator = enter(serving("converse_emulator", "serve", "--port", "0"))
        balancer = enter(LoadBalancer("http://127.0.0.1:1"))
        env = {**environment(emulator, Limits()), "CHAT_ALLOW_ORIGIN": balancer.url}
        function = enter(Function(RUNTIME, env=env))
        illusion = enter(serving("converse_contract.mutants", "illusion", env=env))
        adapted = enter(Function(env=env))
        mode: Any = {"invoke_mode": "response_stream", "readiness_path": "/health"}
        enter(WebAdapter(illusion, adapted.runtime_api, **mode))
        cors = Cors((balancer.url,), allow_methods=("POST",), allow_headers=("content-type", "accept"))
        streams = {
            "Function URL": f"{enter(FunctionUrl(function, 'RESPONSE_STREAM')).url}/chat",
            "REST API": f"{enter(RestApi(function, 'STREAM')).url}/prod/chat",
            "The illusion": f"{enter(FunctionUrl(adapted, 'RESPONSE_STREAM', cors=cors)).url}/chat",
        }
        events = enter(AppSyncEvents(namespaces=[NAMESPACE], api_keys=[KEY], authorizer=authorize, may=RULES))
        api = enter(WebSocketApi(integration))
        paths = {
            "CHAT_SSE_PATHS": ",".join(f"{name}={url}" for name, url in streams.items()),
            "CHAT_WEBSOCKET_ENDPOINT": api.management_url,
            "CHAT_APPSYNC_ENDPOINT": f"{events.url}/event",
            "CHAT_APPSYNC_NAMESPACE": NAMESPACE,
            "CHAT_APPSYNC_API_KEY": KEY,
            "CHAT_APPSYNC_SECRET": SECRET,
        }
        handler = enter(serving("converse_handler", "--port", "0", env={**env, **paths}))
        integration.url = handler + INTEGRATION
        balancer.register(handler)
        yield Chat(f"{balancer.url}/", emulator)


def main() -> None:
    """Serve until interrupted."""
    with chatting() as chat:
        print(f"chat page  {chat.page}\nemulator   {chat.emulator}\n\nSay, for example:")
        for prompt, what in TRY.items():
            print(f"  {prompt:<55} {what}")
        print(
            "\nThe selector chooses the path. converse-emulator scenarios  lists all scenarios. Ctrl-C ends."
        )
        sys.stdout.flush()
        signal.pause()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # all servers are ended in either case
    with suppress(KeyboardInterrupt):
        main()
