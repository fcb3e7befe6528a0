"""Asynchronous invocations."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from converse_emulator.http.refusals import ServiceError
from converse_emulator.side.async_invokes import MOST, AsyncInvokes

REEL = "amazon.nova-reel-v1:0"
REGION = "us-east-1"


def given(**more: Any) -> dict[str, Any]:
    output = {"s3OutputDataConfig": {"s3Uri": "s3://bucket/films"}}
    return {"modelId": REEL, "modelInput": {"prompt": "a film"}, "outputDataConfig": output, **more}


def clock() -> Iterator[float]:
    yield from (1_700_000_000.0 + 60 * minute for minute in range(10_000))


@pytest.fixture
def asyncs() -> AsyncInvokes:
    times = clock()
    return AsyncInvokes("0", lambda: next(times))


def begin(asyncs: AsyncInvokes, session: str = "s", **more: Any) -> str:
    arn: str = asyncs.start(given(**more), session, REGION)["invocationArn"]
    return arn


def statuses(asyncs: AsyncInvokes, arn: str, times: int) -> list[str]:
    return [asyncs.get({"invocationArn": arn}, "s")["status"] for _ in range(times)]


def listed(asyncs: AsyncInvokes, **filters: Any) -> list[str]:
    return [each["invocationArn"] for each in asyncs.list(filters, "s")["asyncInvokeSummaries"]]


def test_a_client_that_polls_goes_round_once(asyncs: AsyncInvokes) -> None:
    arn = begin(asyncs, clientRequestToken="token")

    assert re.fullmatch(r"arn:aws:bedrock:us-east-1:123456789012:async-invoke/[a-z0-9]{12}", arn)
    assert asyncs.get({"invocationArn": arn}, "s") == {
        "invocationArn": arn,
        "modelArn": f"arn:aws:bedrock:us-east-1::foundation-model/{REEL}",
        "clientRequestToken": "token",
        "status": "InProgress",
        "submitTime": "2023-11-14T22:13:20.000Z",
        "lastModifiedTime": "2023-11-14T22:13:20.000Z",
        "outputDataConfig": given()["outputDataConfig"],
    }
    done = asyncs.get({"invocationArn": arn}, "s")
    assert (done["status"], "endTime" in done) == ("Completed", True)


def test_one_that_is_asked_to_fail(asyncs: AsyncInvokes) -> None:
    arn = begin(asyncs, modelInput={"prompt": "a film [[async: fail]]"})

    assert statuses(asyncs, arn, 3) == ["InProgress", "Failed", "Failed"]
    assert "failureMessage" in asyncs.get({"invocationArn": arn}, "s")


def test_a_token_begins_one_invocation_only(asyncs: AsyncInvokes) -> None:
    assert begin(asyncs, clientRequestToken="a") == begin(asyncs, clientRequestToken="a")
    assert len({begin(asyncs), begin(asyncs), begin(asyncs, clientRequestToken="b")}) == 3


def test_the_same_seed_gives_the_same_arns() -> None:
    first, second, other = (AsyncInvokes(seed, lambda: 0.0) for seed in ("1", "1", "2"))

    assert [begin(first), begin(first)] == [begin(second), begin(second)]
    assert begin(other) != begin(AsyncInvokes("1", lambda: 0.0))


def test_the_list_can_be_filtered_and_sorted(asyncs: AsyncInvokes) -> None:
    first, second, third = begin(asyncs), begin(asyncs), begin(asyncs)
    statuses(asyncs, second, 1)

    assert listed(asyncs) == [third, second, first]
    assert listed(asyncs, sortOrder="Ascending") == [first, second, third]
    assert listed(asyncs, statusEquals="Completed") == [second]
    assert listed(asyncs, submitTimeAfter="2023-11-14T22:13:20Z") == [third, second]
    assert listed(asyncs, submitTimeBefore="2023-11-14T22:14:20") == [first]
    assert listed(asyncs, maxResults=1) == [third]


def test_sessions_do_not_see_each_other(asyncs: AsyncInvokes) -> None:
    arn = begin(asyncs, "other")

    assert listed(asyncs) == []
    with pytest.raises(ServiceError, match="ARN is invalid"):
        asyncs.get({"invocationArn": arn}, "s")


def test_they_can_be_forgotten(asyncs: AsyncInvokes) -> None:
    begin(asyncs)
    begin(asyncs, "other")
    asyncs.forget("s")
    assert listed(asyncs) == []
    assert len(asyncs.list({}, "other")["asyncInvokeSummaries"]) == 1
    asyncs.forget()
    assert asyncs.list({}, "other")["asyncInvokeSummaries"] == []


def test_only_so_many_are_kept(asyncs: AsyncInvokes) -> None:
    arns = [begin(asyncs) for _ in range(MOST + 2)]

    assert listed(asyncs, sortOrder="Ascending") == arns[2:]


def test_a_provisioned_model_keeps_its_arn(asyncs: AsyncInvokes) -> None:
    mine = "arn:aws:bedrock:us-east-1:123456789012:provisioned-model/abcdefghijkl"

    assert asyncs.get({"invocationArn": begin(asyncs, modelId=mine)}, "s")["modelArn"] == mine
