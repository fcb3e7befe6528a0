"""Which of a scenario's replies a turn of the conversation gets, and which of its retries.

    replies   fault  fault  clean  clean  fault
    slots     [fault fault  clean] [clean] [fault]
    turn          0                   1      2, 3, 4, …

Agents call again with a longer conversation: that is the next turn. Clients retry with the same one: that is
the next reply of the slot. After its clean reply a slot begins again; one without stays at its last fault.
"""

from collections.abc import Sequence

from converse_emulator.language.faults import Corrupt, Cut, HeadSays, Tear, Wild
from converse_emulator.language.order import ends_reply
from converse_emulator.language.scenario import Placed, Reply, Step

Slot = tuple[Reply, ...]


def slots(replies: Sequence[Reply]) -> tuple[Slot, ...]:
    """The replies, in groups of faults and the clean reply after them."""
    grouped: list[Slot] = []
    faults: Slot = ()
    for reply in replies:
        faults = (*faults, reply)
        if not is_fault(reply):
            grouped.append(faults)
            faults = ()
    return (*grouped, faults) if faults else tuple(grouped)


def is_fault(reply: Reply) -> bool:
    """Whether something goes wrong in the reply, so that a client may try again."""
    return any(_is_fault(step.step if isinstance(step, Placed) else step) for step in reply)


def _is_fault(step: Step) -> bool:
    """Not what leaves the answer as it is, or lets a client go on with less of it."""
    match step:
        case HeadSays(status):
            return status is not None and status >= 300
        case _:
            return ends_reply(step) or isinstance(step, Corrupt | Cut | Tear | Wild)


def slot_of_turn(replies: Sequence[Reply], turn: int) -> Slot:
    """The slot of a turn, counted from 0; the last one repeats."""
    if len(replies) == 1:
        return (replies[0],)
    grouped = slots(replies)
    return grouped[min(turn, len(grouped) - 1)]


def reply_of_try(slot: Slot, attempt: int) -> Reply:
    """The reply of the n-th try of the same request, counted from 0."""
    if is_fault(slot[-1]):
        return slot[min(attempt, len(slot) - 1)]
    return slot[attempt % len(slot)]
