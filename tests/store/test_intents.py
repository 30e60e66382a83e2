"""An order is journaled before it leaves, leaves once, and is answered once."""

import itertools
from dataclasses import replace

import pytest

from domain.evidence import Observation
from domain.order import Answer, Filled, NotFilled, Order, Purpose, Rejection, Unknown
from domain.venue import Venue
from store import alarms, run_state
from store.errors import JournalConflict, NotJournaled
from store.intents import AlreadySent, Leave, MaySend
from store.journal import Journal
from store.lease import FIRST_BYTE_MS
from store.states import IntentState
from tests.store.builders import (
    NOW,
    a_fill,
    admitted,
    an_act,
    an_identity,
    an_opportunity,
    an_order,
    plan_unwind,
)


@pytest.fixture
async def order(journal: Journal) -> Order:
    """The Polymarket entry of an admitted arbitrage."""
    return (await admitted(journal)).orders[0][0]


def word(leave: Leave) -> str:
    match leave:
        case MaySend():
            return "go"
        case NotFilled(rejection=rejection):
            return rejection
        case AlreadySent():
            return "already_sent"


LEAVE = """
    before                       purpose  at_ms  leave
    nothing                      entry    2000   go
    nothing                      entry    2001   past_its_deadline
    nothing                      unwind   2001   past_its_deadline
    sent                         entry    10     already_sent
    sent                         unwind   10     already_sent
    withdrawn                    entry    10     never_left_this_machine
    halted                       entry    10     not_allowed_at_the_last_gate
    halted                       unwind   10     go
    disabled                     entry    10     not_allowed_at_the_last_gate
    disabled                     close    10     go
    disabled+enabled             entry    10     not_allowed_at_the_last_gate
    halted+resumed               entry    10     not_allowed_at_the_last_gate
    sibling_sent+disabled        entry    10     go
    sibling_sent+disabled        entry    250    go
    sibling_sent+disabled        entry    251    not_allowed_at_the_last_gate
    sibling_sent+halted          entry    250    go
"""
LEAVE_ROWS = [line.split() for line in LEAVE.strip().splitlines()[1:]]


@pytest.mark.parametrize(
    ("before", "purpose", "at_ms", "leave"), LEAVE_ROWS, ids=[" ".join(r) for r in LEAVE_ROWS]
)
async def test_the_last_gate(
    journal: Journal, order: Order, before: str, purpose: str, at_ms: str, leave: str
) -> None:
    if purpose != "entry":
        order = an_order(an_opportunity(), Venue.POLYMARKET, purpose=Purpose(purpose))
        await plan_unwind(journal, order, an_identity(order), NOW)
    for happening in before.split("+"):
        await let_happen(journal, happening, order)

    verdict = await journal.mark_sent(order.intent_id, NOW + int(at_ms))

    assert word(verdict) == leave
    stored = await journal.intent(order.intent_id)
    if isinstance(verdict, NotFilled):
        assert (stored.state, stored.answer) == (IntentState.NOT_FILLED, verdict)
        assert await journal.mark_sent(order.intent_id, NOW) == verdict
    else:
        assert stored.state is IntentState.SENT


async def let_happen(journal: Journal, happening: str, order: Order) -> None:
    version = journal.settings.current.version
    match happening:
        case "sent":
            assert isinstance(await journal.mark_sent(order.intent_id, NOW + 5), MaySend)
        case "withdrawn":
            await journal.withdraw(order.intent_id, NOW + 5)
        case "halted":
            await journal.halt("a test says so", an_act())
        case "resumed":
            await journal.resume(an_act())
        case "disabled" | "enabled":
            await journal.settings.update({"enabled": happening == "enabled"}, version, an_act())
        case "sibling_sent":
            sibling = f"{order.arb_id}/{order.venue.sibling}/entry/1"
            assert isinstance(await journal.mark_sent(sibling, NOW), MaySend)
        case _:
            assert happening == "nothing"


async def test_the_lease_is_what_the_table_says() -> None:
    assert run_state.LEASE_MS == 250


async def test_a_stop_waits_for_a_paused_sender_and_takes_less_than_a_second() -> None:
    assert run_state.STOPPED_AFTER_MS == run_state.LEASE_MS + FIRST_BYTE_MS < 1_000


async def test_an_order_that_is_not_journaled_cannot_leave(journal: Journal) -> None:
    with pytest.raises(NotJournaled, match="found no arb-9/kalshi/entry/1"):
        await journal.mark_sent("arb-9/kalshi/entry/1", NOW)


ANSWERS: dict[str, Answer] = {
    "killed": NotFilled(Rejection.KILLED, "no depth", "order-1"),
    "absent": NotFilled(Rejection.NEVER_ARRIVED, "missed 5 times"),
    "unknown": Unknown("timed out after 1.5 s"),
}

# What is stored after one answer and then another; `conflict` halts, the rest is silent.
SEQUENCE = """
    first    second   stored
    killed   killed   killed
    killed   unknown  killed
    killed   absent   killed
    killed   filled   conflict
    absent   filled   filled
    absent   killed   absent
    unknown  unknown  unknown
    unknown  killed   killed
    unknown  absent   absent
    unknown  filled   filled
    filled   filled   filled
    filled   unknown  filled
    filled   killed   conflict
    filled   absent   conflict
"""
SEQUENCE_ROWS = [line.split() for line in SEQUENCE.strip().splitlines()[1:]]


@pytest.mark.parametrize(
    ("first", "second", "stored"), SEQUENCE_ROWS, ids=["-".join(r) for r in SEQUENCE_ROWS]
)
async def test_answers_are_idempotent_and_never_contradict(
    journal: Journal, order: Order, first: str, second: str, stored: str
) -> None:
    answers = {**ANSWERS, "filled": Filled("order-1", (a_fill(order),))}
    await journal.mark_sent(order.intent_id, NOW + 1)
    await journal.record_answer(order.intent_id, answers[first], NOW + 50)
    halted = stored == "conflict"

    if halted:
        with pytest.raises(JournalConflict):
            await journal.record_answer(order.intent_id, answers[second], NOW + 60)
    else:
        await journal.record_answer(order.intent_id, answers[second], NOW + 60)

    kept = answers[first if halted else stored]
    assert (await journal.intent(order.intent_id)).answer == kept
    assert (await journal.run_state()).halted is halted


async def test_an_order_that_was_never_sent_cannot_have_been_filled(
    journal: Journal, order: Order
) -> None:
    with pytest.raises(JournalConflict, match="was never sent"):
        await journal.record_answer(order.intent_id, Filled("x", (a_fill(order),)), NOW)


async def test_a_conflict_halts_entries_and_raises_an_alarm_once(
    journal: Journal, order: Order
) -> None:
    for _ in range(2):
        with pytest.raises(JournalConflict):
            await journal.record_answer(order.intent_id, Unknown("?"), NOW)

    [alarm] = await journal.read(alarms.open_alarms)
    assert (alarm.code, alarm.repeats) == ("JOURNAL_CONFLICT", 1)

    await journal.resume(an_act(NOW + 9))
    [closed] = await journal.read(lambda s: alarms.page(s, 9))
    assert (closed.closed_ms, closed.evidence) == (NOW + 9, "ada resumed")


async def test_a_fill_after_the_order_was_given_up_is_believed_and_alarmed(
    journal: Journal, order: Order
) -> None:
    await journal.mark_sent(order.intent_id, NOW + 1)
    await journal.record_answer(order.intent_id, ANSWERS["absent"], NOW + 90_000)

    answer = Filled("order-1", (a_fill(order),))
    await journal.record_answer(order.intent_id, answer, NOW + 95_000)

    state = await journal.arbitrage(order.arb_id)
    assert state.polymarket.held == order.size
    assert [alarm.code for alarm in await journal.read(alarms.open_alarms)] == ["LATE_FILL"]


async def test_an_unwind_is_journaled_once_and_the_first_one_stays(
    journal: Journal, order: Order
) -> None:
    first = an_order(an_opportunity(), Venue.KALSHI, purpose=Purpose.UNWIND, limit="0.38")
    again = replace(first, limit=order.limit, created_at_ms=NOW + 9)

    await plan_unwind(journal, first, an_identity(first), NOW)
    stored = await plan_unwind(journal, again, an_identity(again), NOW + 9)

    assert stored.order == first


async def test_an_unwind_of_something_else_under_the_same_name_is_a_conflict(
    journal: Journal, order: Order
) -> None:
    first = an_order(an_opportunity(), Venue.KALSHI, purpose=Purpose.UNWIND)
    await plan_unwind(journal, first, an_identity(first), NOW)
    other = replace(first, instrument=replace(first.instrument, token="another"))

    with pytest.raises(JournalConflict, match="token"):
        await plan_unwind(journal, other, an_identity(other), NOW)


async def test_withdrawing_leaves_a_sent_order_alone(journal: Journal, order: Order) -> None:
    await journal.mark_sent(order.intent_id, NOW + 1)

    stored = await journal.withdraw(order.intent_id, NOW + 2)

    assert (stored.state, stored.answer) == (IntentState.SENT, None)


async def test_observations_count_once_and_come_back_in_order(
    journal: Journal, order: Order
) -> None:
    reads = (
        Observation("trades", NOW + 20, None, detail="502"),
        Observation("order", NOW + 10, False, as_of_ms=NOW),
        Observation("order", NOW + 30, True),
    )
    await journal.add_observations(order.intent_id, reads[:2], NOW)
    await journal.add_observations(order.intent_id, reads, NOW)

    stored = await journal.observations(order.intent_id)
    assert stored == tuple(sorted(reads, key=lambda read: read.at_ms))


async def test_only_one_of_many_senders_may_send(journal: Journal, order: Order) -> None:
    attempts = [await journal.mark_sent(order.intent_id, NOW + at) for at in range(20)]

    assert [word(a) for a in attempts] == ["go"] + ["already_sent"] * 19


async def test_orders_sent_without_an_answer_are_listed(journal: Journal, order: Order) -> None:
    sibling = order.intent_id.replace("polymarket", "kalshi")
    await journal.mark_sent(order.intent_id, NOW + 10)
    await journal.mark_sent(sibling, NOW + 20)
    await journal.record_answer(order.intent_id, Unknown("reset"), NOW + 30)

    assert await journal.indefinite_intents(NOW + 20) == [order.intent_id]
    assert await journal.indefinite_intents(NOW + 21) == [order.intent_id, sibling]
    for one in (order.intent_id, sibling):
        await journal.record_answer(one, ANSWERS["absent"], NOW + 40)
    assert await journal.indefinite_intents(NOW + 99) == []


def test_every_pair_of_answers_is_in_the_table() -> None:
    words = [*ANSWERS, "filled"]
    listed = {(first, second) for first, second, _ in SEQUENCE_ROWS}
    missing = set(itertools.product(words, words)) - listed
    assert missing == {("absent", "absent"), ("absent", "unknown")}
