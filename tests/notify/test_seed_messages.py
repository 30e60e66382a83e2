"""The two messages of the first design, line by line: as they were where the figures were true,
and with the true figures where they were not."""

import pytest

from app.wiring import wall_ms
from domain.venue import Venue
from notify import cards, facts
from store.journal import Journal
from tests.notify.deals import Bought, enter, hold, sell_back
from tests.notify.stage import timeless

EXECUTED = """\
<b>✅ EXECUTED — Arbitrage locked in! · SIM +$0.03</b>
━━━━━━━━━━━━━━━━━━━━━━━━━
🏀 Lakers vs Celtics

📊 Positions:
Poly: 3 shares × $0.41 = $1.23 (YES)
Kalshi: 3 contracts × $0.58 = $1.74 (NO)
Fees: $0.00
Total invested: $2.97

💰 Guaranteed payout: $3.00
📈 Profit: $0.03 (1.0% ROI)

⏱ Sent HH:MM:SS UTC · Poly N ms + Kalshi N ms

💳 Balances: Poly $9.15 | Kalshi $8.26 · HH:MM:SS UTC
<code>arb-ID</code>"""

UNEVEN = """\
<b>⚠️ HELD AT A LOSS — Not an arbitrage · SIM -$0.52</b>
━━━━━━━━━━━━━━━━━━━━━━━━━
🏀 Lakers vs Celtics

📊 Positions:
Poly: 2.07 shares × $0.4106 = $0.85 (YES)
Kalshi: 3 contracts × $0.58 = $1.74 (NO)
Fees: $0.00
Total invested: $2.59

💰 Payout if YES: $2.07, if NO: $3.00
📉 Loss if YES: $0.52 (-20.1% ROI), otherwise +$0.41

⏱ Sent HH:MM:SS UTC · Poly N ms + Kalshi N ms

💳 Balances: Poly $9.15 | Kalshi $8.26 · HH:MM:SS UTC
<code>arb-ID</code>"""

ROLLED_BACK = """\
<b>⚠️ PARTIAL FILL — Rolled back · SIM -$0.0427</b>
━━━━━━━━━━━━━━━━━━━━━━━━━
🏀 Lakers vs Celtics

Poly: ✅ 2.07 shares × $0.4106 = $0.85
Kalshi: ❌ FOK rejected (no liquidity)

🔄 Rollback: Sold Poly 2.07 shares @ $0.39
   Loss: $0.0427 (spread)

⏱ Sent HH:MM:SS UTC · Poly N ms + Kalshi N ms

💳 Balances: Poly $9.15 | Kalshi $8.26 · HH:MM:SS UTC
<code>arb-ID</code>"""


async def message(journal: Journal, arb_id: str) -> str:
    found = await journal.read(lambda s: facts.read(s, arb_id))
    return timeless(cards.card(found, wall_ms()))


async def test_equal_shares_are_the_message_of_the_first_design(journal: Journal) -> None:
    deals = {Venue.POLYMARKET: Bought("3", "1.23"), Venue.KALSHI: Bought("3", "1.74")}
    arb_id = await enter(journal, deals)
    await hold(journal, arb_id)
    assert await message(journal, arb_id) == EXECUTED


async def test_equal_dollars_of_the_first_design_lose_in_one_answer(journal: Journal) -> None:
    """Its sample promised "Guaranteed payout: $3.00" and "Profit: $0.41 (15.8% ROI)" for 2.07
    shares against 3 contracts. Where YES comes true they pay $2.07 for $2.59."""
    deals = {Venue.POLYMARKET: Bought("2.07", "0.85"), Venue.KALSHI: Bought("3", "1.74")}
    arb_id = await enter(journal, deals)
    await hold(journal, arb_id)
    found = await message(journal, arb_id)
    assert found == UNEVEN
    assert "Guaranteed" not in found
    assert "locked in" not in found


async def test_a_rollback_is_the_message_of_the_first_design(journal: Journal) -> None:
    """Its "$0.04" was rounded towards hope: 2.07 × $0.39 is $0.8073, and $0.85 was paid."""
    deals = {Venue.POLYMARKET: Bought("2.07", "0.85"), Venue.KALSHI: None}
    arb_id = await enter(journal, deals)
    await sell_back(journal, arb_id, Venue.POLYMARKET, "2.07", "0.8073")
    assert await message(journal, arb_id) == ROLLED_BACK


@pytest.mark.parametrize(("fee", "spread"), [("0.02", "0.0427"), ("0.1", "0.0427")])
async def test_a_loss_names_what_the_spread_and_what_the_fees_took(
    journal: Journal, fee: str, spread: str
) -> None:
    deals = {Venue.POLYMARKET: Bought("2.07", "0.85", fee), Venue.KALSHI: None}
    arb_id = await enter(journal, deals)
    await sell_back(journal, arb_id, Venue.POLYMARKET, "2.07", "0.8073")
    assert f"(spread ${spread} + fees $" in await message(journal, arb_id)


async def test_surplus_shares_are_shown_and_not_counted(journal: Journal) -> None:
    deals = {Venue.POLYMARKET: Bought("3.2", "1.23"), Venue.KALSHI: Bought("3", "1.74")}
    arb_id = await enter(journal, deals)
    await hold(journal, arb_id)
    found = await message(journal, arb_id)
    assert "Surplus: 0.2 Poly shares, not counted" in found
    assert "Guaranteed payout: $3.00" in found


async def test_fees_that_eat_the_edge_make_it_no_arbitrage(journal: Journal) -> None:
    deals = {
        Venue.POLYMARKET: Bought("3", "1.23", "0.02"),
        Venue.KALSHI: Bought("3", "1.74", "0.02"),
    }
    arb_id = await enter(journal, deals)
    await hold(journal, arb_id)
    found = await message(journal, arb_id)
    assert "💰 Payout: $3.00 whatever the answer\n📉 Loss: $0.01 (-0.4% ROI)" in found
    assert "Guaranteed" not in found
    assert "locked in" not in found
