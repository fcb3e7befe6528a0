"""Replies in slots: turns of the conversation choose the slot, retries walk through it."""

import pytest
from converse_emulator.choosing.turns import is_fault, reply_of_try, slot_of_turn, slots
from converse_emulator.language.loader import reply_from
from converse_emulator.language.scenario import Reply

CLEAN, CLEAN_2 = reply_from("one"), reply_from("two")
FAULT, FAULT_2 = reply_from([{"refuse": "ThrottlingException"}]), reply_from(["reset"])


@pytest.mark.parametrize(
    ("replies", "grouped"),
    [
        ([CLEAN], [(CLEAN,)]),
        ([FAULT], [(FAULT,)]),
        ([FAULT, FAULT_2, CLEAN, CLEAN_2, FAULT], [(FAULT, FAULT_2, CLEAN), (CLEAN_2,), (FAULT,)]),
        ([CLEAN, FAULT, CLEAN_2], [(CLEAN,), (FAULT, CLEAN_2)]),
    ],
)
def test_a_slot_is_faults_and_the_clean_reply_after_them(
    replies: list[Reply], grouped: list[tuple[Reply, ...]]
) -> None:
    assert slots(replies) == tuple(grouped)


@pytest.mark.parametrize(
    ("step", "fault"),
    [
        ("finish", True),
        ("hangup", True),
        ("reset", True),
        ({"throw": "throttlingException"}, True),
        ({"refuse": "ThrottlingException"}, True),
        ({"wait": "forever"}, True),
        ({"cut": 3}, True),
        ({"corrupt": "message_crc"}, True),
        ({"wait": "10s"}, False),
        ({"stop": "max_tokens"}, False),
        ({"gate": "g"}, False),
        ({"text": "x"}, False),
    ],
)
def test_what_a_fault_is(step: object, fault: bool) -> None:
    assert is_fault(reply_from([step])) is fault


def test_turns_choose_the_slot_and_the_last_one_repeats() -> None:
    replies = [FAULT, CLEAN, CLEAN_2]
    assert [slot_of_turn(replies, turn) for turn in range(4)] == [
        (FAULT, CLEAN),
        (CLEAN_2,),
        (CLEAN_2,),
        (CLEAN_2,),
    ]


def test_tries_walk_the_slot() -> None:
    assert [reply_of_try((FAULT, FAULT_2, CLEAN), n) for n in range(5)] == [
        FAULT,
        FAULT_2,
        CLEAN,
        FAULT,
        FAULT_2,
    ]
    assert [reply_of_try((FAULT, FAULT_2), n) for n in range(4)] == [FAULT, FAULT_2, FAULT_2, FAULT_2]
