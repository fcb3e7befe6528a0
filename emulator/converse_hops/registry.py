"""The hops that `converse-emulator hop` knows. A hop is added by a row here."""

from dataclasses import dataclass
from importlib import import_module

from converse_hops.hop import Hop


@dataclass(frozen=True, slots=True)
class Kind:
    """A hop's name on the command line, its class as `module:name`, and what it stands in for."""

    name: str
    home: str
    about: str

    def load(self) -> type[Hop]:
        module, name = self.home.split(":")
        found: type[Hop] = getattr(import_module(f"converse_hops.{module}"), name)
        return found


KINDS: tuple[Kind, ...] = (
    Kind("function", "functions.function:Function", "a Lambda function: its Runtime API and its invoke APIs"),
    Kind("function-url", "fronts.function_url:FunctionUrl", "a Lambda function URL"),
    Kind("rest-api", "fronts.rest_api:RestApi", "an API Gateway REST API, which may stream"),
    Kind("http-api", "fronts.http_api:HttpApi", "an API Gateway HTTP API, which never streams"),
    Kind(
        "web-adapter", "web_adapter.adapter:WebAdapter", "the AWS Lambda Web Adapter in front of any web app"
    ),
    Kind("websocket-api", "websocket.api:WebSocketApi", "an API Gateway WebSocket API with its @connections"),
    Kind("appsync-events", "appsync.hop:AppSyncEvents", "an AppSync Event API: HTTP and the WebSocket"),
    Kind("load-balancer", "proxies.load_balancer:LoadBalancer", "an Application Load Balancer"),
    Kind("cloudfront", "proxies.cloudfront:CloudFront", "a CloudFront distribution"),
    Kind(
        "buffering-proxy",
        "proxies.buffering:BufferingProxy",
        "a proxy that buffers, as nginx does by default",
    ),
)
