"""A program that speaks the Runtime API and does what its event, or the event's body or query, says.

{"metadata": {…} | null, "chunks": ["…", …], "every": 0.1, "until": "FILE",
 "then": "end" | "fail" | "die" | "stall"}
{"return": …}  {"throw": "…"}  {"exit": 3}
"""

import base64
import json
import os
import sys
import time
from typing import Any

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from by_hand import Runtime  # type: ignore[import-not-found]


def perform(runtime: Any, script: dict[str, Any]) -> None:
    print("performing", sorted(script), flush=True)
    if "exit" in script:
        os._exit(script["exit"])
    if "throw" in script:
        runtime.fail("Error", script["throw"])
        return
    if "return" in script:
        runtime.respond(json.dumps(script["return"]).encode())
        return
    stream = runtime.stream(script.get("content_type"), script.get("metadata"))
    for chunk in script["chunks"]:
        stream.write(chunk.encode())
        time.sleep(script.get("every", 0))
    while "until" in script and not os.path.exists(script["until"]):
        time.sleep(0.01)
    match script.get("then", "end"):
        case "end":
            stream.end()
        case "fail":
            told = json.dumps({"errorType": "Error", "errorMessage": "boom", "trace": []}).encode()
            stream.end(
                {
                    "Lambda-Runtime-Function-Error-Type": "Error",
                    "Lambda-Runtime-Function-Error-Body": base64.b64encode(told).decode(),
                }
            )
        case "die":
            os._exit(1)
        case "stall":
            time.sleep(3600)


def main() -> None:
    if "init" in sys.argv:
        told = b'{"errorType":"Runtime.ImportModuleError","errorMessage":"No module named app"}'
        headers = {"Lambda-Runtime-Function-Error-Type": "Runtime.ImportModuleError"}
        Runtime(os.environ["AWS_LAMBDA_RUNTIME_API"]).post("init/error", told, headers)
        sys.exit(1)
    runtime = Runtime(os.environ["AWS_LAMBDA_RUNTIME_API"])
    while True:
        event = runtime.next()
        if "requestContext" in event:
            told = event.get("body") or event["queryStringParameters"]["script"]
            perform(runtime, json.loads(told))
        else:
            perform(runtime, event)


main()
