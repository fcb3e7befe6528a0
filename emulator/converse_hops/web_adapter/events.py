"""Lambda events to web requests and, when responses are collected, web responses to Lambda's JSON.

API Gateway's REST APIs send the proxy event (1.0), function URLs and HTTP APIs payload 2.0; each takes a
response of its own shape. The two headers that the adapter adds are in the words of its runtime for Rust.
"""

import base64
import json
import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from converse_hops.http.link import Headers, header
from converse_hops.web_adapter.messages import WebRequest, WebResponse
from converse_hops.web_adapter.runtime_client import Call

PASS_THROUGH = "/events"  # where an event goes that is no HTTP request
AS_WRITTEN = "/%:@!$&'()*+,;=~"  # of a path: what is escaped already stays so, and what need not be
TEXTS = ("text/", "application/json", "application/javascript", "application/xml")


def web_request(call: Call) -> WebRequest:
    """The request in an event, or the event as a request."""
    event = json.loads(call.event)
    added = [("x-amzn-lambda-context", _json(_context(call)))]
    if not (is_2_0(event) or (isinstance(event, dict) and "httpMethod" in event)):
        headers = (("content-type", "application/json"), *added)
        return WebRequest("POST", PASS_THROUGH, headers, call.event)
    added.append(("x-amzn-request-context", _json(event.get("requestContext"))))
    method, target, headers = _from_2_0(event) if is_2_0(event) else _from_1_0(event)
    return WebRequest(method, target, (*headers, *added), _body(event))


def is_2_0(event: Any) -> bool:
    """Whether an event is payload 2.0, and its response is to be, too."""
    return isinstance(event, dict) and event.get("version") == "2.0" and "rawPath" in event


def whole_response(response: WebResponse, body: bytes, *, payload_2_0: bool) -> bytes:
    """A response that was collected, as the JSON that API Gateway and function URLs expect."""
    names = list(dict.fromkeys(name.lower() for name, _ in response.headers))
    values = {name: [value for key, value in response.headers if key.lower() == name] for name in names}
    cookies = values.pop("set-cookie", []) if payload_2_0 else []
    text = _text(response.headers, body)
    told: dict[str, Any] = {
        "statusCode": response.status,
        "headers": {name: ", ".join(all_of) for name, all_of in values.items()},
        "multiValueHeaders": {} if payload_2_0 else values,
        "body": base64.b64encode(body).decode() if text is None else text,
        "isBase64Encoded": text is None,
    }
    return _json({**told, "cookies": cookies} if payload_2_0 else told).encode()


def prelude(response: WebResponse) -> bytes:
    """What a response in streaming mode begins with. Repeated headers are joined, as HTTP allows."""
    cookies = [value for name, value in response.headers if name.lower() == "set-cookie"]
    headers: dict[str, str] = {}
    for name, value in response.headers:
        if (name := name.lower()) != "set-cookie":
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return _json({"statusCode": response.status, "headers": headers, "cookies": cookies}).encode()


def _from_1_0(event: Mapping[str, Any]) -> tuple[str, str, Headers]:
    several = event.get("multiValueHeaders") or {
        name: [value] for name, value in (event.get("headers") or {}).items()
    }
    query = event.get("multiValueQueryStringParameters") or event.get("queryStringParameters") or {}
    headers = tuple((name, str(value)) for name, values in several.items() for value in values)
    path = quote(event["path"], safe=AS_WRITTEN)
    return event["httpMethod"], _target(path, urlencode(query, doseq=True)), headers


def _from_2_0(event: Mapping[str, Any]) -> tuple[str, str, Headers]:
    headers = tuple((event.get("headers") or {}).items())
    if cookies := event.get("cookies"):
        headers = (*headers, ("cookie", "; ".join(cookies)))
    target = _target(event["rawPath"], event.get("rawQueryString", ""))
    return event["requestContext"]["http"]["method"], target, headers


def _target(path: str, query: str) -> str:
    return f"{path}?{query}" if query else path


def _body(event: Mapping[str, Any]) -> bytes:
    body = event.get("body") or ""
    return base64.b64decode(body) if event.get("isBase64Encoded") else body.encode()


def _text(headers: Headers, body: bytes) -> str | None:
    """The body as text; None: it goes in base64."""
    kind = (header(headers, "content-type") or "").lower()
    if header(headers, "content-encoding") or not (kind.startswith(TEXTS) or "charset=utf-8" in kind):
        return None
    try:
        return body.decode()
    except UnicodeDecodeError:
        return None


def _context(call: Call) -> dict[str, Any]:
    function = os.environ
    return {
        "request_id": call.id,
        "deadline": int(header(call.headers, "Lambda-Runtime-Deadline-Ms") or 0),
        "invoked_function_arn": header(call.headers, "Lambda-Runtime-Invoked-Function-Arn") or "",
        "xray_trace_id": header(call.headers, "Lambda-Runtime-Trace-Id"),
        "client_context": None,
        "identity": None,
        "env_config": {
            "function_name": function.get("AWS_LAMBDA_FUNCTION_NAME", ""),
            "memory": int(function.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "0")),
            "version": function.get("AWS_LAMBDA_FUNCTION_VERSION", ""),
            "log_stream": function.get("AWS_LAMBDA_LOG_STREAM_NAME", ""),
            "log_group": function.get("AWS_LAMBDA_LOG_GROUP_NAME", ""),
        },
    }


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))
