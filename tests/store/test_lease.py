"""One sender per account: who may send, and who may not any more."""

from dataclasses import dataclass, field
from functools import partial

import pytest
from sqlmodel import Session

from domain.order import NotFilled, Order, Rejection
from domain.venue import Venue
from store import lease
from store.intents import MaySend
from store.journal import Journal
from store.lease import FIRST_BYTE_MS, LEASE_MS, SKEW_MS, Claim, Held
from tests.store.builders import NOW, admitted

ACCOUNTS = {Venue.POLYMARKET: "polymarket/0xa", Venue.KALSHI: "kalshi/key"}


@dataclass
class Process:
    """One holder and the last thing it was told."""

    name: str
    claim: Claim | None = None
    told: list[str] = field(default_factory=list)


async def _ask(journal: Journal, process: Process, at_ms: int) -> str:
    answer = await journal.write(
        at_ms, lambda s: lease.take(s, process.name, ACCOUNTS, NOW + at_ms)
    )
    if isinstance(answer, Held):
        return f"held by {answer.holder}"
    process.claim = answer
    epochs = {epoch for _, epoch in answer.epochs.values()}
    assert len(epochs) == 1, epochs
    return f"epoch {epochs.pop()}"


STORY = [
    # (time in ms, who, does, what comes of it)
    (0, "a", "ask", "epoch 1"),
    (0, "a", "may", "yes"),
    (10, "b", "ask", "held by a"),
    (1_000, "a", "ask", "epoch 1"),
    (1_000 + LEASE_MS - 1, "b", "ask", "held by a"),
    (1_000 + LEASE_MS - FIRST_BYTE_MS - SKEW_MS, "a", "may", "yes"),
    (1_000 + LEASE_MS, "b", "ask", "epoch 2"),
    (1_000 + LEASE_MS, "b", "may", "yes"),
    (1_000 + LEASE_MS, "a", "may", "now it is b under epoch 2"),
    (1_000 + LEASE_MS + 1, "a", "ask", "held by b"),
    (1_000 + LEASE_MS + 2, "b", "release", "-"),
    (1_000 + LEASE_MS + 2, "a", "ask", "epoch 3"),
    (1_000 + LEASE_MS + 3, "b", "release", "-"),
    (1_000 + LEASE_MS + 3, "a", "may", "yes"),
    # Nobody took it while it had run out: the last gate renews it, and then nobody can.
    (9_000 + LEASE_MS, "a", "may", "yes"),
    (9_000 + LEASE_MS + FIRST_BYTE_MS, "b", "ask", "held by a"),
    (9_000 + LEASE_MS, "a", "ask", "epoch 3"),
]


async def test_a_lease_changes_hands_only_when_it_ran_out_or_was_let_go(journal: Journal) -> None:
    processes = {name: Process(name) for name in "ab"}
    for at_ms, name, act, expected in STORY:
        process = processes[name]
        if act == "ask":
            found = await _ask(journal, process, at_ms)
        elif act == "release":
            claim = process.claim
            assert claim is not None
            await journal.write(NOW, partial(lease.release, claim=claim, now_ms=NOW + at_ms))
            found = "-"
        else:
            claim = process.claim
            refused = await journal.write(
                NOW, partial(lease.refusal, venue=Venue.KALSHI, claim=claim, now_ms=NOW + at_ms)
            )
            found = refused or "yes"
        assert expected in found, (at_ms, name, act, found)


@pytest.mark.parametrize("left_ms", [0, FIRST_BYTE_MS + 1, FIRST_BYTE_MS + SKEW_MS - 1])
async def test_by_a_clock_that_is_ahead_nobody_takes_it_before_the_first_byte_has_left(
    journal: Journal, left_ms: int
) -> None:
    claim = await _claim(journal, "a", NOW)
    marked_ms = NOW + LEASE_MS - left_ms
    refused = await journal.write(
        marked_ms, lambda s: lease.refusal(s, Venue.KALSHI, claim, marked_ms)
    )
    assert refused is None
    theirs_ms = marked_ms + FIRST_BYTE_MS + SKEW_MS - 1
    answer = await journal.write(NOW, lambda s: lease.take(s, "b", ACCOUNTS, theirs_ms))
    assert isinstance(answer, Held)


async def test_one_account_held_by_another_process_keeps_both_from_us(journal: Journal) -> None:
    only = {Venue.KALSHI: "kalshi/key"}
    await journal.write(NOW, lambda s: lease.take(s, "other", only, NOW))
    answer = await journal.write(NOW, lambda s: lease.take(s, "us", ACCOUNTS, NOW + 1))
    assert answer == Held("kalshi/key", "other", NOW + LEASE_MS)
    assert await journal.read(lambda s: lease.holders(s, NOW + 1)) == {"kalshi/key": "other"}


@pytest.mark.parametrize("venue", list(Venue))
async def test_the_last_gate_asks_for_the_lease_and_its_no_is_final(
    journal: Journal, venue: Venue
) -> None:
    order = await _entry(journal, venue)
    claim = await _claim(journal, "a", NOW)
    await _claim(journal, "b", NOW + LEASE_MS)
    refused = await journal.mark_sent(order.intent_id, NOW + 20, claim)
    assert "now it is b under epoch 2" in str(refused)
    fresh = await _claim(journal, "b", NOW + LEASE_MS)
    assert await journal.mark_sent(order.intent_id, NOW + 20, fresh) == refused


async def test_without_a_claim_nobody_sends_for_an_account_that_was_ever_held(
    journal: Journal,
) -> None:
    order = await _entry(journal, Venue.KALSHI)
    await _claim(journal, "a", NOW - 10 * LEASE_MS)
    refused = await journal.mark_sent(order.intent_id, NOW + 1)
    assert "a sends for kalshi/key" in str(refused)


async def test_a_reason_from_outside_stops_an_entry_at_the_last_gate(journal: Journal) -> None:
    order = await _entry(journal, Venue.POLYMARKET)
    refused = await journal.mark_sent(order.intent_id, NOW + 1, stop="KILL in /data: enough")
    assert refused == NotFilled(Rejection.FENCED, "KILL in /data: enough")


async def test_it_does_not_tear_a_pair_whose_first_leg_has_just_left(journal: Journal) -> None:
    first = await _entry(journal, Venue.POLYMARKET)
    second = f"{first.arb_id}/kalshi/entry/1"
    assert isinstance(await journal.mark_sent(first.intent_id, NOW + 1), MaySend)
    assert isinstance(await journal.mark_sent(second, NOW + 2, stop="KILL"), MaySend)


async def _entry(journal: Journal, venue: Venue) -> Order:
    request = await admitted(journal)
    return next(order for order, _ in request.orders if order.venue is venue)


async def _claim(journal: Journal, holder: str, now_ms: int) -> Claim:
    def work(session: Session) -> Claim | Held:
        return lease.take(session, holder, ACCOUNTS, now_ms)

    claim = await journal.write(now_ms, work)
    assert isinstance(claim, Claim), claim
    return claim
