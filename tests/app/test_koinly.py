"""A tax program's rows add up to what the journal knows, and name what was exchanged for what."""

import csv
import io
from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from app.operating.koinly import COLUMNS, Movement, as_csv, movements
from domain.leg import fold
from domain.money import NO_USD, Size, Usd, size, usd
from domain.order import Fill, FillState
from domain.trade import Phase
from domain.venue import Action, Mode, Venue
from store.arbitrages import ArbitrageState
from tests.domain.build import a_fill
from tests.domain.test_attribution import CASH, FILLS, a_plan

CASH_NAMES = {"USD", "pUSD"}
PAID_AT = {Venue.POLYMARKET: 3_000, Venue.KALSHI: 4_000}


def a_trade(fills: list[Fill], payouts: dict[Venue, Usd] | None = None) -> ArbitrageState:
    """One that ended, as its fills and payouts tell it."""
    legs = {v: fold(v, size(10), [one for one in fills if one.venue is v]) for v in Venue}
    return ArbitrageState(
        arb_id="arb-1",
        mode=Mode.SIM,
        phase=Phase.SETTLED,
        status=None,
        reason=None,
        detail=None,
        opportunity=a_plan(),
        settings_version=1,
        revision=1,
        opened_at_ms=0,
        updated_at_ms=0,
        closed_at_ms=5_000,
        intents=(),
        fills=tuple(fills),
        polymarket=legs[Venue.POLYMARKET],
        kalshi=legs[Venue.KALSHI],
        payouts=payouts or {},
        realised=None,
    )


def read(found: list[Movement]) -> list[dict[str, str]]:
    """The file as another program reads it."""
    return list(csv.DictReader(io.StringIO(as_csv(found))))


def balance(rows: list[dict[str, str]], *, cash: bool) -> Decimal:
    """What came less what left and what fees took: dollars, or contracts of any kind."""
    total = Decimal(0)
    for row in rows:
        for name, sign in (("Received", 1), ("Sent", -1), ("Fee", -1)):
            if row[f"{name} Currency"] and (row[f"{name} Currency"] in CASH_NAMES) is cash:
                total += sign * Decimal(row[f"{name} Amount"])
    return total


MONEY_BACK = st.decimals(0, 100, places=6).map(usd)


@given(FILLS, st.dictionaries(st.sampled_from(Venue), MONEY_BACK), CASH)
def test_all_cash_added_up_is_the_journals_result(
    fills: list[Fill], payouts: dict[Venue, Usd], by_hand: Usd
) -> None:
    ended = [
        replace(fill, state=FillState.CONFIRMED) if fill.state is FillState.PROVISIONAL else fill
        for fill in fills
    ]
    state = a_trade(ended, payouts)
    rows = read(movements(state, PAID_AT, by_hand))
    assert balance(rows, cash=True) == state.cash_result + by_hand


def test_a_settled_pair_leaves_no_contract_behind() -> None:
    fills = [
        a_fill("10", "4.10", fee="0.12", state=FillState.CONFIRMED),
        a_fill(
            "10", "5.00", fee="0.18", venue=Venue.KALSHI, trade_id="t2", state=FillState.CONFIRMED
        ),
    ]
    state = a_trade(fills, {Venue.POLYMARKET: NO_USD, Venue.KALSHI: usd(10)})
    rows = read(movements(state, PAID_AT))
    assert tuple(rows[0]) == COLUMNS
    told = [
        (r["Date"], r["Sent Amount"], r["Sent Currency"], r["Received Amount"],
         r["Received Currency"], r["Fee Amount"], r["Fee Currency"])
        for r in rows
    ]  # fmt: skip
    assert told == [
        ("1970-01-01 00:00:00 UTC", "4.1", "pUSD", "10", "PM-c0nd1t10n-YES", "0.12", "pUSD"),
        ("1970-01-01 00:00:00 UTC", "5", "USD", "10", "KXNBAGAME-BOS-NO", "0.18", "USD"),
        ("1970-01-01 00:00:03 UTC", "10", "PM-c0nd1t10n-YES", "0", "pUSD", "", ""),
        ("1970-01-01 00:00:04 UTC", "10", "KXNBAGAME-BOS-NO", "10", "USD", "", ""),
    ]
    assert balance(rows, cash=False) == 0
    assert balance(rows, cash=True) == usd("0.60")


def test_a_fill_that_may_yet_be_void_is_left_out() -> None:
    assert movements(a_trade([a_fill("10", "4.10", state=FillState.PROVISIONAL)]), {}) == []


def test_a_sale_gives_contracts_for_cash() -> None:
    sold = a_fill("10", "3.80", fee="0.10", action=Action.SELL, state=FillState.CONFIRMED)
    (one,) = movements(a_trade([sold]), {})
    assert one.sent == (Size(Decimal(10)), "PM-c0nd1t10n-YES")
    assert one.received == (usd("3.80"), "pUSD")
    assert one.fee == (usd("0.10"), "pUSD")
