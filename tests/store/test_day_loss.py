"""What is certain to be lost counts against the day from the moment that it is certain."""

from dataclasses import replace
from pathlib import Path

import pytest

from domain.funds import Funds
from domain.money import Usd, usd
from domain.opportunity import Refused
from domain.order import Filled, FillState, NotFilled, Purpose, Rejection
from domain.policy import Refusal
from domain.trade import Phase, TradeStatus
from domain.venue import Mode, Venue
from store import adoptions
from store.gate import GateRequest, Granted
from store.journal import Journal
from store.lifecycle import Conclusion
from tests.store.builders import (
    NOW,
    a_fill,
    a_request,
    an_act,
    an_identity,
    an_opportunity,
    an_order,
    plan_unwind,
    ready,
)
from tests.support.places import place, plain

DAY = "2026-09-21"
WORST = "1.275"


async def lost(journal: Journal) -> tuple[Usd, Usd]:
    """What the day says is lost, and what is at risk."""
    stats = await journal.trade_log.stats(Mode.SIM, DAY)
    return stats.realised_loss, stats.at_risk


async def bought_dear(
    journal: Journal, key: str, limit: str = "0.60", state: FillState = FillState.CONFIRMED
) -> GateRequest | Refused:
    """Polymarket fills ten at 0.50, Kalshi kills, and is bought at `limit` in the end."""
    request = a_request(an_opportunity(key), worst_loss=WORST)
    verdict = await journal.reserve(request)
    if isinstance(verdict, Refused):
        return verdict
    polymarket, kalshi = (order for order, _ in request.orders)
    for order in (polymarket, kalshi):
        await journal.mark_sent(order.intent_id, NOW + 1)
    bought = Filled("p", (a_fill(polymarket, state=state),))
    await journal.record_answer(polymarket.intent_id, bought, NOW + 2)
    killed = NotFilled(Rejection.KILLED, "no depth")
    await journal.record_answer(kalshi.intent_id, killed, NOW + 2)
    rest = replace(
        an_order(request.opportunity, Venue.KALSHI, limit=limit),
        intent_id=f"{request.arb_id}/kalshi/complete/3",
        purpose=Purpose.COMPLETE,
    )
    await plan_unwind(journal, rest, an_identity(rest), NOW + 3)
    await journal.mark_sent(rest.intent_id, NOW + 4)
    await journal.record_answer(rest.intent_id, Filled("k", (a_fill(rest),)), NOW + 5)
    await journal.lock(request.arb_id, TradeStatus.PARTIAL, {}, NOW + 6)
    return request


async def held_at_a_loss(journal: Journal) -> GateRequest:
    request = await bought_dear(journal, "1")
    assert isinstance(request, GateRequest)
    return request


def ended_by_hand(request: GateRequest) -> Conclusion:
    """A person's word that all of it is gone and brought nothing."""
    end = Conclusion(request.arb_id, Phase.FLAT, TradeStatus.ROLLED_BACK, "gone", {}, NOW + 9)
    return replace(end, moved_by_hand=usd("0"))


async def test_losses_that_are_locked_in_one_after_the_other_stop_at_the_limit(
    journal: Journal,
) -> None:
    """Each costs 11.10 for contracts that pay 10. The fifth could go beyond five dollars."""
    saved = await journal.settings.load()
    assert saved.settings.max_daily_loss == usd("5")

    asked = [await bought_dear(journal, str(number)) for number in range(8)]

    held = [one.arb_id for one in asked if isinstance(one, GateRequest)]
    for arb_id in held:
        assert (await journal.arbitrage(arb_id)).guaranteed == usd("-1.1")
    refused = [one.reason for one in asked if isinstance(one, Refused)]
    assert (len(held), refused) == (4, [Refusal.DAILY_LOSS_REACHED] * 4)
    assert await lost(journal) == (usd("4.4"), usd("0"))


async def test_a_pair_that_is_held_at_a_profit_costs_the_day_nothing(journal: Journal) -> None:
    assert isinstance(await bought_dear(journal, "1", limit="0.40"), GateRequest)

    assert await lost(journal) == (usd("0"), usd("0"))


async def test_a_locked_loss_that_is_paid_out_is_counted_once(journal: Journal) -> None:
    request = await held_at_a_loss(journal)
    await journal.set_phase(request.arb_id, Phase.SETTLING, NOW + 7)
    assert await lost(journal) == (usd("1.1"), usd("0"))

    await journal.record_payout(request.arb_id, Venue.KALSHI, usd("10"), NOW + 8)
    await journal.record_payout(request.arb_id, Venue.POLYMARKET, usd("0"), NOW + 8)
    end = Conclusion(request.arb_id, Phase.SETTLED, TradeStatus.PARTIAL, "NO", {}, NOW + 9)

    assert await journal.conclude(end) == usd("-1.1")
    assert await lost(journal) == (usd("1.1"), usd("0"))


@pytest.mark.parametrize(("paid", "loss"), [("9", "2.1"), ("12", "0")])
async def test_what_it_really_paid_replaces_what_was_locked(
    journal: Journal, paid: str, loss: str
) -> None:
    request = await held_at_a_loss(journal)
    await journal.set_phase(request.arb_id, Phase.SETTLING, NOW + 7)
    await journal.record_payout(request.arb_id, Venue.KALSHI, usd(paid), NOW + 8)
    await journal.record_payout(request.arb_id, Venue.POLYMARKET, usd("0"), NOW + 8)
    end = Conclusion(request.arb_id, Phase.SETTLED, TradeStatus.PARTIAL, "NO", {}, NOW + 9)

    await journal.conclude(end)

    assert await lost(journal) == (usd(loss), usd("0"))


async def test_what_is_at_risk_again_is_its_whole_risk_and_no_loss_beside_it(
    journal: Journal,
) -> None:
    request = await held_at_a_loss(journal)

    await journal.set_phase(request.arb_id, Phase.CLOSING, NOW + 7)
    assert await lost(journal) == (usd("0"), usd(WORST))

    await journal.lock(request.arb_id, TradeStatus.PARTIAL, {}, NOW + 8)
    assert await lost(journal) == (usd("1.1"), usd("0"))


async def test_an_end_that_is_taken_back_gives_its_loss_back(journal: Journal) -> None:
    request = await held_at_a_loss(journal)
    await journal.set_phase(request.arb_id, Phase.CLOSING, NOW + 7)
    end = ended_by_hand(request)
    await journal.conclude(end)
    assert await lost(journal) == (usd("11.1"), usd("0"))

    await journal.write(
        NOW + 10, lambda s: adoptions.reopen(s, request.arb_id, "a late fill", NOW + 10)
    )
    assert await lost(journal) == (usd("0"), usd(WORST))

    await journal.lock(request.arb_id, TradeStatus.PARTIAL, {}, NOW + 11)
    assert await lost(journal) == (usd("1.1"), usd("0"))


async def test_a_match_that_fails_after_the_lock_is_risk_again(journal: Journal) -> None:
    request = await bought_dear(journal, "1", state=FillState.PROVISIONAL)
    assert isinstance(request, GateRequest)
    ghosts = [
        replace(fill, state=FillState.VOIDED)
        for fill in (await journal.arbitrage(request.arb_id)).fills
        if fill.state is FillState.PROVISIONAL
    ]
    await journal.record_fills(ghosts, NOW + 7)

    await journal.set_phase(request.arb_id, Phase.UNWINDING, NOW + 8, status=TradeStatus.PARTIAL)

    assert await lost(journal) == (usd("0"), usd(WORST))


async def matched(journal: Journal) -> GateRequest:
    """Held, while Polymarket's chain may still void its leg; a limit with room for one trade."""
    saved = await journal.settings.load()
    await journal.settings.update({"max_daily_loss": "2"}, saved.version, an_act())
    request = await bought_dear(journal, "1", limit="0.40", state=FillState.PROVISIONAL)
    assert isinstance(request, GateRequest)
    return request


async def confirm(journal: Journal, request: GateRequest) -> None:
    """The chain has the fill for good; the saga says once more where the pair stands."""
    fills = (await journal.arbitrage(request.arb_id)).fills
    await journal.record_fills([replace(f, state=FillState.CONFIRMED) for f in fills], NOW + 7)
    await journal.lock(request.arb_id, TradeStatus.SUCCESS, {}, NOW + 8)


async def test_what_is_only_matched_is_at_risk_until_it_is_final(journal: Journal) -> None:
    first = await matched(journal)
    assert await lost(journal) == (usd("0"), usd(WORST))

    second = await journal.reserve(a_request(an_opportunity("2"), worst_loss=WORST))
    assert isinstance(second, Refused)
    assert second.reason is Refusal.DAILY_LOSS_REACHED

    await confirm(journal, first)
    assert await lost(journal) == (usd("0"), usd("0"))
    third = await journal.reserve(a_request(an_opportunity("3"), worst_loss=WORST))
    assert isinstance(third, Granted)


async def test_what_is_locked_again_changes_nothing(journal: Journal) -> None:
    first = await matched(journal)
    await confirm(journal, first)
    before = await journal.events(first.arb_id)

    await journal.lock(first.arb_id, TradeStatus.SUCCESS, {}, NOW + 9)

    assert await journal.events(first.arb_id) == before
    assert await lost(journal) == (usd("0"), usd("0"))


async def test_a_match_that_goes_on_being_at_risk_promises_no_cash_that_is_spent(
    journal: Journal,
) -> None:
    """Kalshi's leg is paid for and its balance read since shows it; Polymarket's is not yet."""
    await matched(journal)
    for venue in Venue:
        await journal.record_balance(venue, Mode.SIM, Funds(usd("500")), NOW + 100)

    assert await journal.free_cash(Venue.KALSHI, Mode.SIM) == usd("500")
    assert await journal.free_cash(Venue.POLYMARKET, Mode.SIM) == usd("494.9")


async def test_the_loss_that_a_lock_charged_is_written_down_beside_its_risk(
    journal: Journal, tmp_path: Path
) -> None:
    request = await held_at_a_loss(journal)
    raw = plain(place(tmp_path / "journal.db"))
    found = raw.execute("SELECT arb_id, lost_micro FROM reservations").fetchall()
    raw.close()

    assert [tuple(row) for row in found] == [(request.arb_id, 1_100_000)]


async def test_a_grant_after_it_still_fits_exactly(journal: Journal) -> None:
    """1.10 lost and 3.90 more is five dollars; one micro-dollar beyond is refused."""
    await held_at_a_loss(journal)

    beyond = await journal.reserve(a_request(an_opportunity("a"), worst_loss="3.900001"))
    within = await journal.reserve(a_request(an_opportunity("b"), worst_loss="3.9"))

    assert isinstance(beyond, Refused)
    assert beyond.reason is Refusal.DAILY_LOSS_REACHED
    assert isinstance(within, Granted)


async def test_an_upgrade_charges_what_is_held_at_a_loss_and_nothing_twice(
    tmp_path: Path,
) -> None:
    """Schema 0009 knew of no certain loss: only what had ended was booked."""
    where = place(tmp_path / "journal.db")
    journal = await ready(tmp_path / "journal.db")
    await held_at_a_loss(journal)
    ended = await bought_dear(journal, "2", limit="0.70")
    assert isinstance(ended, GateRequest)
    await journal.set_phase(ended.arb_id, Phase.CLOSING, NOW + 7)
    end = ended_by_hand(ended)
    await journal.conclude(end)
    journal.close()
    raw = plain(where)
    for added in ("reservations lost_micro", "reservations kalshi_shard", "venue_balances shards"):
        raw.execute("ALTER TABLE {} DROP COLUMN {}".format(*added.split()))
    raw.execute("UPDATE risk_days SET realised_loss_micro = 12100000")
    raw.execute("UPDATE alembic_version SET version_num = '0009'")
    raw.commit()
    raw.close()

    journal = Journal.open(where, NOW + 20)

    assert await lost(journal) == (usd("13.2"), usd("0"))
    await journal.set_phase("arb-1", Phase.CLOSING, NOW + 21)
    assert await lost(journal) == (usd("12.1"), usd(WORST))
    journal.close()
