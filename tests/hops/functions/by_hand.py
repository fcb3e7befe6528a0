"""A runtime that a test plays itself, call by call, over its own sockets."""

import http.client
import json
import socket
from collections.abc import Mapping
from typing import Any, Self

STREAMING = {
    "Lambda-Runtime-Function-Response-Mode": "streaming",
    "Transfer-Encoding": "chunked",
    "Trailer": "Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body",
}
PRELUDE = "application/vnd.awslambda.http-integration-response"


class Runtime:
    """Takes one invocation after the other."""

    def __init__(self, runtime_api: str) -> None:
        self._api = runtime_api
        self.id = ""
        self.headers: Mapping[str, str] = {}

    def next(self) -> Any:
        """The event of the next invocation."""
        connection = http.client.HTTPConnection(self._api, timeout=30)
        connection.request("GET", "/2018-06-01/runtime/invocation/next")
        response = connection.getresponse()
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.id = self.headers["lambda-runtime-aws-request-id"]
        event = json.loads(response.read())
        connection.close()
        return event

    def post(self, what: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> tuple[int, Any]:
        """Post a whole body; the status and the JSON that come back."""
        connection = http.client.HTTPConnection(self._api, timeout=30)
        connection.request("POST", f"/2018-06-01/runtime/{what}", body, dict(headers or {}))
        response = connection.getresponse()
        answer = json.loads(response.read())
        connection.close()
        return response.status, answer

    def respond(self, body: bytes, headers: Mapping[str, str] | None = None) -> tuple[int, Any]:
        return self.post(f"invocation/{self.id}/response", body, headers)

    def fail(self, error_type: str, message: str) -> tuple[int, Any]:
        told = {"errorType": error_type, "errorMessage": message, "trace": ["at /var/task/app.js"]}
        headers = {"Lambda-Runtime-Function-Error-Type": error_type}
        return self.post(f"invocation/{self.id}/error", json.dumps(told).encode(), headers)

    def stream(self, content_type: str | None = None, metadata: Mapping[str, Any] | None = None) -> "Stream":
        """Begin a response; with `metadata` it has a prelude."""
        content_type = PRELUDE if metadata is not None else content_type
        stream = Stream(self._api, self.id, content_type)
        if metadata is not None:
            stream.write(json.dumps(metadata).encode())
            stream.write(bytes(8))
        return stream


class Stream:
    """A response in streaming mode."""

    def __init__(self, api: str, invocation_id: str, content_type: str | None) -> None:
        host, port = api.split(":")
        self._socket = socket.create_connection((host, int(port)), timeout=30)
        headers = {**STREAMING, **({"Content-Type": content_type} if content_type else {}), "Host": api}
        lines = [
            f"POST /2018-06-01/runtime/invocation/{invocation_id}/response HTTP/1.1",
            *(f"{name}: {value}" for name, value in headers.items()),
        ]
        self._socket.sendall("\r\n".join([*lines, "", ""]).encode())

    def write(self, data: bytes) -> Self:
        self._socket.sendall(b"%x\r\n%b\r\n" % (len(data), data))
        return self

    def end(self, trailers: Mapping[str, str] | None = None) -> bytes:
        """The answer of the Runtime API, all of it."""
        rows = "".join(f"{name}: {value}\r\n" for name, value in (trailers or {}).items())
        self._socket.sendall(f"0\r\n{rows}\r\n".encode())
        self._socket.shutdown(socket.SHUT_WR)
        return self.rest()

    def truncate(self) -> bytes:
        """FIN in the middle."""
        self._socket.shutdown(socket.SHUT_WR)
        return self.rest()

    def rest(self) -> bytes:
        got = b""
        while piece := self._socket.recv(65536):
            got += piece
        self._socket.close()
        return got

    def close(self) -> None:
        self._socket.close()
