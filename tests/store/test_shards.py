"""Kalshi's cash lies on shards, and an order can use only that of its own market's."""

from dataclasses import replace
from pathlib import Path

import pytest

from domain.funds import Funds
from domain.money import usd
from domain.opportunity import Refused
from domain.venue import Mode, Venue
from store import balances
from store.gate import GateRequest, Granted
from store.journal import Journal
from tests.store.builders import NOW, a_request, admitted, an_opportunity
from tests.support.places import place, plain


def on_shard(key: str, shard: int, worst_loss: str = "1") -> GateRequest:
    plan = an_opportunity(key)
    there = replace(plan.kalshi.instrument, exchange_index=shard)
    plan = replace(plan, kalshi=replace(plan.kalshi, instrument=there))
    return a_request(plan, worst_loss=worst_loss)


async def told(journal: Journal, **shards: str) -> None:
    by_shard = {int(name.removeprefix("on")): usd(cash) for name, cash in shards.items()}
    await journal.record_balance(Venue.KALSHI, Mode.SIM, Funds(usd("1000"), by_shard), NOW)


@pytest.mark.parametrize(
    ("shards", "verdict"),
    [
        ({"on0": "1000", "on3": "4.10"}, "granted"),
        ({"on0": "1000", "on3": "4.09"}, "kalshi_cash_too_low"),
        ({"on0": "1000", "on3": "0"}, "kalshi_cash_too_low"),
        ({"on0": "1000"}, "kalshi_cash_too_low"),
        ({"on0": "0", "on3": "1000"}, "granted"),
    ],
)
async def test_the_cash_that_counts_lies_on_the_markets_own(
    journal: Journal, shards: dict[str, str], verdict: str
) -> None:
    await told(journal, **shards)

    answer = await journal.reserve(on_shard("a", 3))

    assert ("granted" if isinstance(answer, Granted) else answer.reason) == verdict
    if isinstance(answer, Refused):
        assert "kalshi, shard 3" in answer.detail
    assert await journal.free_cash(Venue.KALSHI, Mode.SIM) == usd(
        "995.9" if verdict == "granted" else "1000"
    )


async def test_what_is_promised_on_one_shard_is_free_on_another(journal: Journal) -> None:
    await told(journal, on0="5", on3="5")
    verdicts = [
        await journal.reserve(on_shard(key, shard))
        for key, shard in (("a", 3), ("b", 3), ("c", 0), ("d", 0))
    ]

    assert [isinstance(one, Granted) for one in verdicts] == [True, False, True, False]
    found = await journal.read(lambda s: balances.free_funds(s, Venue.KALSHI, Mode.SIM))
    assert found == Funds(usd("991.8"), {0: usd("0.9"), 3: usd("0.9")})


async def test_a_reservation_of_no_known_shard_counts_on_all(
    journal: Journal, tmp_path: Path
) -> None:
    """One that was admitted before shards were written down."""
    await admitted(journal, an_opportunity("old"))
    raw = plain(place(tmp_path / "journal.db"))
    raw.execute("UPDATE reservations SET kalshi_shard = NULL")
    raw.commit()
    raw.close()
    await told(journal, on0="5", on3="5")

    assert isinstance(await journal.reserve(on_shard("a", 3)), Refused)


async def test_a_venue_that_tells_of_no_shards_has_one_purse(journal: Journal) -> None:
    assert isinstance(await journal.reserve(on_shard("a", 3)), Granted)
