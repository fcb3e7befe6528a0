"""Three tools for the demo: one that may fail, one that does not, one that may take too long."""

import threading
from collections.abc import Mapping

from converse_handler.tools import Tool, ToolError, Tools
from converse_handler.turn import Json


def lookup_subscription(input: Mapping[str, Json], _cancelled: threading.Event) -> Json:
    """A customer's plan and the day it renews."""
    customer = _member(input, "customer_id", str)
    if customer == "C-404":
        raise LookupError(
            f"no customer {customer} in table subscriptions"
        )  # the log gets this, the model less
    return {"customer_id": customer, "plan": "Plus", "renews_on": "2027-03-01"}


def order_status(input: Mapping[str, Json], _cancelled: threading.Event) -> Json:
    """Where an order is."""
    return {"order_id": _member(input, "order_id", str), "status": "shipped"}


def slow_report(input: Mapping[str, Json], cancelled: threading.Event) -> Json:
    """A report that takes as many seconds as asked for."""
    seconds = _member(input, "seconds", int, float)
    cancelled.wait(min(max(seconds, 0.0), 3600.0))
    return {"rows": 3}


def _member(input: Mapping[str, Json], name: str, *kinds: type) -> Json:
    # The model need not keep to the schema; told what is wrong, it usually does better the next time.
    value = input.get(name)
    if not isinstance(value, kinds):
        raise ToolError(f"{name} is missing or not a {kinds[-1].__name__}")
    return value


def _schema(name: str, kind: str, description: str) -> dict[str, Json]:
    member = {"type": kind, "description": description}
    return {"type": "object", "properties": {name: member}, "required": [name]}


DEMO_TOOLS = Tools(
    (
        Tool(
            name="lookup_subscription",
            label="Looking up your subscription…",
            description="Find a customer's subscription: plan and renewal date.",
            schema=_schema("customer_id", "string", "The customer's number, such as C-100"),
            run=lookup_subscription,
        ),
        Tool(
            name="order_status",
            label="Checking your order…",
            description="Find out where an order is.",
            schema=_schema("order_id", "string", "The order's number, such as O-2001"),
            run=order_status,
        ),
        Tool(
            name="slow_report",
            label="Preparing your report…",
            description="Prepare a usage report. Takes a while.",
            schema=_schema("seconds", "number", "How long to take"),
            run=slow_report,
        ),
    )
)
