"""Functions to invoke, and the SDK's client that does."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from converse_hops import Function

SCRIPTED = [sys.executable, str(Path(__file__).parent / "functions" / "scripted_runtime.py")]


@pytest.fixture
def scripted() -> Iterator[Callable[..., Function]]:
    """Starts functions that do what their events say."""
    with ExitStack() as stack:

        def start(*arguments: str, **options: Any) -> Function:
            return stack.enter_context(Function([*SCRIPTED, *arguments], **options))

        yield start


@pytest.fixture
def by_hand() -> Iterator[Function]:
    """A function whose runtime the test plays."""
    with Function() as function:
        yield function


@pytest.fixture
def client() -> Callable[..., Any]:
    """Makes boto3 clients for `lambda`."""

    def make(function: Function) -> Any:
        return boto3.client(
            "lambda",
            endpoint_url=function.url,
            region_name="us-east-1",
            aws_access_key_id="x",
            aws_secret_access_key="y",
            config=Config(retries={"total_max_attempts": 1}, proxies={}, read_timeout=30),
        )

    return make
