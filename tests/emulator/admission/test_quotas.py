"""Quotas: what a request takes, what it is charged, when it may come again. Time is a number here."""

import re
from collections.abc import Mapping
from typing import Any

import pytest
from converse_emulator.admission.lease import Lease, Throttled
from converse_emulator.admission.quotas import (
    Quota,
    Quotas,
    burndown_of,
    need_of,
    quota_from,
    quotas_from,
)
from converse_emulator.choosing.request import Request
from converse_emulator.scripting.tokens import count_request
from hypothesis import given, settings
from hypothesis import strategies as st

NOVA = "amazon.nova-lite-v1:0"
SONNET_4 = "us.anthropic.claude-sonnet-4-20250514-v1:0"
BODY = {"messages": [{"role": "user", "content": [{"text": "Hello there"}]}]}
INPUT = count_request(BODY)


def request(
    model_id: str = NOVA,
    session: str = "s",
    operation: str = "ConverseStream",
    max_tokens: object = 100,
) -> Request:
    body: Mapping[str, Any] = BODY | {"inferenceConfig": {"maxTokens": max_tokens}}
    return Request(operation, model_id, {}, body, session)


def admitted(quotas: Quotas, now: float = 0.0, **about: Any) -> Lease | str:
    """The lease, or the text of the refusal."""
    try:
        return quotas.admit(request(**about), None, now)
    except Throttled as error:
        return str(error)


def lease(quotas: Quotas, now: float = 0.0, **about: Any) -> Lease:
    held = admitted(quotas, now, **about)
    assert isinstance(held, Lease), held
    return held


REQUESTS = "Too many requests, please wait before trying again."
TOKENS = "Too many tokens, please wait before trying again."
CONNECTIONS = "Too many connections, please wait before trying again."

# ---------------------------------------------------------------------------------------- requests, time


def test_requests_beyond_the_quota_are_throttled_until_it_refills() -> None:
    quotas = quotas_from(["*:rpm=3"])
    for _ in range(3):
        lease(quotas)
    assert admitted(quotas) == REQUESTS
    assert admitted(quotas, 19.0) == REQUESTS
    lease(quotas, 20.0)  # a third of a minute gives one of three
    assert admitted(quotas, 20.0) == REQUESTS
    for _ in range(3):
        lease(quotas, 200.0)  # not more than a minute's worth is saved up
    assert admitted(quotas, 200.0) == REQUESTS


def test_a_throttled_request_tells_name_and_numbers() -> None:
    quotas = quotas_from(["amazon.*:rpm=1"])
    lease(quotas)
    with pytest.raises(Throttled) as throttled:
        quotas.admit(request(), None, 30.0)
    assert throttled.value.name == "ThrottlingException"
    assert throttled.value.why == "quota amazon.*: 0.50 of 1 requests a minute are left"


def test_sessions_and_models_have_quotas_of_their_own() -> None:
    quotas = quotas_from(["*:rpm=1"])
    lease(quotas)
    lease(quotas, session="other")
    lease(quotas, model_id=SONNET_4)
    assert admitted(quotas) == REQUESTS


def test_only_the_models_that_a_quota_names_have_it() -> None:
    quotas = quotas_from(["anthropic.*:rpm=1"])
    for _ in range(5):
        lease(quotas, model_id=NOVA)


def test_a_model_by_another_name_has_its_quota() -> None:
    quotas, arn = quotas_from(["amazon.*:rpm=1"]), "arn:aws:bedrock:us-east-1:123456789012:imported-model/x"
    alias = Request("Converse", arn, {}, BODY, base_id=NOVA)
    quotas.admit(alias, None, 0.0)
    with pytest.raises(Throttled):
        quotas.admit(alias, None, 0.0)


def test_all_quotas_that_fit_count_and_a_refused_request_takes_of_none() -> None:
    quotas = quotas_from(["*:rpm=2", "amazon.*:concurrent=1"])
    first = lease(quotas)
    assert admitted(quotas) == CONNECTIONS
    first.settle(0, 0.0)
    lease(quotas).settle(0, 0.0)
    assert admitted(quotas) == REQUESTS


@pytest.mark.parametrize("operation", ["CountTokens", "ApplyGuardrail", "ListFoundationModels"])
def test_what_is_no_inference_has_no_quota(operation: str) -> None:
    quotas = quotas_from(["*:rpm=1"])
    for _ in range(3):
        lease(quotas, operation=operation)


def test_a_forgotten_session_begins_anew() -> None:
    quotas = quotas_from(["*:rpm=1"])
    held = lease(quotas)
    lease(quotas, session="other")
    quotas.forget("s")
    lease(quotas)
    assert admitted(quotas, session="other") == REQUESTS
    held.settle(0, 0.0)  # of what is forgotten, nothing remains to be settled
    assert admitted(quotas) == REQUESTS
    quotas.forget()
    lease(quotas, session="other")


# ------------------------------------------------------------------------------------------- concurrency


def test_too_many_at_a_time_are_too_many_connections() -> None:
    quotas = quotas_from(["*:concurrent=2"])
    first, _ = lease(quotas), lease(quotas)
    with pytest.raises(Throttled) as throttled:
        quotas.admit(request(), None, 0.0)
    assert (throttled.value.name, str(throttled.value)) == ("ServiceUnavailableException", CONNECTIONS)
    assert throttled.value.why == "quota *: 2 of 2 requests at a time are running"
    first.settle(None, 0.0)
    lease(quotas)


# ------------------------------------------------------------------------------------------------ tokens


def test_max_tokens_are_reserved_and_given_back_at_the_end() -> None:
    quotas = quotas_from([f"*:tpm={2 * (INPUT + 100)}"])
    first, _ = lease(quotas), lease(quotas)
    assert admitted(quotas) == TOKENS
    first.settle(10, 0.0)  # 90 of the 100 come back, and the input does not
    assert admitted(quotas) == TOKENS
    lease(quotas, max_tokens=90 - INPUT)
    assert admitted(quotas, max_tokens=1) == TOKENS


def test_a_throttled_request_tells_its_tokens() -> None:
    with pytest.raises(Throttled) as throttled:
        quotas_from(["*:tpm=50"]).admit(request(), None, 0.0)
    assert throttled.value.why == (
        f"quota *: {INPUT + 100} tokens are needed, {INPUT} of them for the input, "
        "and 50 of 50 a minute are left"
    )


def test_what_is_refused_after_all_costs_no_tokens() -> None:
    quotas = quotas_from([f"*:tpm={INPUT + 100}"])
    lease(quotas).settle(None, 0.0)
    lease(quotas)


def test_output_of_claude_burns_down_five_times_and_may_overdraw() -> None:
    quotas = quotas_from(["*:tpm=1000"])
    lease(quotas, model_id=SONNET_4).settle(300, 0.0)  # 1500 and the input
    assert admitted(quotas, model_id=SONNET_4, max_tokens=1) == TOKENS
    overdrawn = (500 + 2 * INPUT + 1) * 60 / 1000
    assert admitted(quotas, overdrawn - 0.1, model_id=SONNET_4, max_tokens=1) == TOKENS
    lease(quotas, overdrawn + 0.1, model_id=SONNET_4, max_tokens=1)


def test_a_quota_may_set_the_burndown_rate() -> None:
    quotas = quotas_from([f"*:tpm={INPUT + 100},burndown=0.5"])
    lease(quotas).settle(100, 0.0)
    lease(quotas, max_tokens=50 - INPUT)
    assert admitted(quotas, max_tokens=1) == TOKENS


def test_input_from_a_cache_is_reserved_and_not_charged() -> None:
    quotas = quotas_from([f"*:tpm={INPUT + 100}"])
    held = lease(quotas)
    held.cached = INPUT
    held.settle(0, 0.0)
    lease(quotas)


@pytest.mark.parametrize(
    ("model_id", "rate"),
    [
        ("anthropic.claude-3-5-sonnet-20241022-v2:0", 1),
        ("anthropic.claude-3-haiku-20240307-v1:0", 1),
        ("anthropic.claude-instant-v1", 1),
        ("anthropic.claude-v2:1", 1),
        ("us.anthropic.claude-3-7-sonnet-20250219-v1:0", 5),
        (SONNET_4, 5),
        ("global.anthropic.claude-haiku-4-5-20251001-v1:0", 5),
        (f"arn:aws:bedrock:us-east-1:123456789012:inference-profile/{SONNET_4}", 5),
        (NOVA, 1),
        ("my-model", 1),
    ],
)
def test_the_burndown_rate_follows_from_the_model(model_id: str, rate: float) -> None:
    assert burndown_of(model_id) == rate


@pytest.mark.parametrize(
    ("asked", "most", "output"),
    [
        (7, 50, 7),
        (None, 50, 50),
        (None, None, 4096),
        ("x", 50, 50),
        (0, 50, 50),
        (True, 50, 50),
        ([1], 50, 50),
    ],
)
def test_without_max_tokens_the_most_is_reserved(asked: object, most: int | None, output: int) -> None:
    need = need_of(request(max_tokens=asked), most)
    assert (need.input, need.reserved) == (INPUT, INPUT + output)


@pytest.mark.parametrize("body", [{}, {"inferenceConfig": []}, {"messages": 1, "system": {"a": None}}])
def test_any_body_has_a_need(body: dict[str, Any]) -> None:
    assert need_of(Request("Converse", NOVA, {}, body), None).reserved > 4096


# ------------------------------------------------------------------------------------------------- laws


@settings(max_examples=100, deadline=None)
@given(
    rpm=st.integers(1, 20),
    gaps=st.lists(st.floats(0, 30), min_size=1, max_size=60),
)
def test_in_no_span_more_requests_pass_than_the_bucket_held_and_gained(rpm: int, gaps: list[float]) -> None:
    quotas, now, passed = quotas_from([f"*:rpm={rpm}"]), 0.0, list[float]()
    for gap in gaps:
        now += gap
        if isinstance(admitted(quotas, now), Lease):
            passed.append(now)
    for first, start in enumerate(passed):
        for count, end in enumerate(passed[first:], 1):
            assert count <= rpm * (1 + (end - start) / 60) + 1e-3


@settings(max_examples=100, deadline=None)
@given(
    outputs=st.lists(st.none() | st.integers(0, 500), max_size=20),
    tpm=st.integers(1000, 5000),
)
def test_at_the_end_exactly_what_was_used_is_charged(outputs: list[int | None], tpm: int) -> None:
    quotas = quotas_from([f"*:tpm={tpm}"])
    leases = [held for _ in outputs if isinstance(held := admitted(quotas), Lease)]
    used = 0
    for held, output in zip(leases, outputs, strict=False):
        held.settle(output, 0.0)
        used += 0 if output is None else INPUT + output
    left = tpm - used
    if left > INPUT:
        lease(quotas, max_tokens=left - INPUT).settle(None, 0.0)
    assert admitted(quotas, max_tokens=max(1, left - INPUT + 1)) == TOKENS
    lease(quotas, 60.0 + used * 60 / tpm, max_tokens=tpm - INPUT)


# ------------------------------------------------------------------------------------------------ texts


@pytest.mark.parametrize(
    ("text", "quota"),
    [
        ("*:rpm=1", Quota("*", rpm=1)),
        (
            "anthropic.claude-3-haiku-20240307-v1:0:rpm=60,tpm=1000,concurrent=2,burndown=2.5",
            Quota("anthropic.claude-3-haiku-20240307-v1:0", 60, 1000, 2, 2.5),
        ),
    ],
)
def test_a_quota_is_read(text: str, quota: Quota) -> None:
    assert quota_from(text) == quota


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "'' is no quota; one looks like"),
        ("anthropic.*", "'anthropic.*' is no quota"),
        ("anthropic.claude-v2:1", "is no quota"),
        (":rpm=1", "is no quota"),
        ("*:rps=1", "'rps' is no setting of a quota; settings are rpm, tpm, concurrent, burndown"),
        ("*:rpm=0", "'rpm=0' is no limit; rpm must be a number more than 0"),
        ("*:rpm=1.5", "'rpm=1.5' is no limit"),
        ("*:rpm=x", "'rpm=x' is no limit"),
        ("*:rpm=²", "'rpm=²' is no limit"),
        ("*:burndown=5", "limits nothing"),
    ],
)
def test_a_mistake_in_a_quota_is_told(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=re.escape(complaint)):
        quota_from(text)
