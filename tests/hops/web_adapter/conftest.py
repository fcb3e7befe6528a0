"""Functions whose runtime is the adapter."""

import json
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, closing
from typing import Any

import boto3
import pytest
from botocore.config import Config
from converse_hops import Function, WebAdapter


class Adapted:
    """A function that an application answers through the adapter."""

    adapter: WebAdapter

    def __init__(self, function: Function) -> None:
        self.function = function
        self._client = boto3.client(
            "lambda",
            endpoint_url=function.url,
            region_name="us-east-1",
            aws_access_key_id="x",
            aws_secret_access_key="y",
            config=Config(retries={"total_max_attempts": 1}, proxies={}, read_timeout=30),
        )

    def close(self) -> None:
        self._client.close()

    def invoke(self, event: Any) -> tuple[str | None, bytes]:
        """The function's error and its payload, in one piece."""
        response = self._client.invoke(FunctionName="function", Payload=json.dumps(event))
        return response.get("FunctionError"), response["Payload"].read()

    def stream(self, event: Any) -> Generator[bytes]:
        """The payload as it comes."""
        response = self._client.invoke_with_response_stream(
            FunctionName="function", Payload=json.dumps(event)
        )
        with closing(response["EventStream"]) as events:
            for item in events:
                if "PayloadChunk" in item:
                    yield item["PayloadChunk"]["Payload"]


@pytest.fixture
def adapt() -> Iterator[Callable[..., Adapted]]:
    """`adapt(app, invoke_mode=…)`."""
    with ExitStack() as stack:

        def start(app: Any, **options: Any) -> Adapted:
            function = stack.enter_context(Function())
            adapted = stack.enter_context(closing(Adapted(function)))
            adapted.adapter = stack.enter_context(WebAdapter(app, function.runtime_api, **options))
            return adapted

        yield start


@pytest.fixture
def proxy() -> Callable[..., dict[str, Any]]:
    """A proxy event (1.0): `proxy(path, **members)`."""

    def event(path: str, method: str = "POST", **members: Any) -> dict[str, Any]:
        return {
            "httpMethod": method,
            "path": path,
            "headers": {"Host": "abc.execute-api.us-east-1.amazonaws.com", "Accept": "b"},
            "multiValueHeaders": {"Host": ["abc.execute-api.us-east-1.amazonaws.com"], "Accept": ["a", "b"]},
            "queryStringParameters": None,
            "multiValueQueryStringParameters": None,
            "requestContext": {"stage": "prod", "requestId": "r-1"},
            "body": None,
            "isBase64Encoded": False,
            **members,
        }

    return event


@pytest.fixture
def payload() -> Callable[..., dict[str, Any]]:
    """Payload 2.0: `payload(path, **members)`."""

    def event(path: str, method: str = "POST", **members: Any) -> dict[str, Any]:
        return {
            "version": "2.0",
            "rawPath": path,
            "rawQueryString": "",
            "headers": {"host": "x.lambda-url.us-east-1.on.aws", "accept": "a,b"},
            "requestContext": {"http": {"method": method, "path": path}, "requestId": "r-2"},
            "isBase64Encoded": False,
            **members,
        }

    return event
