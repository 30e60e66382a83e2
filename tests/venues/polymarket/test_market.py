"""Which markets are traded, on which grid, and what a closed one pays."""

import re
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from domain.fees import PolymarketFee
from domain.money import size
from domain.venue import Outcome
from venues.polymarket import market
from venues.polymarket.shapes import ClobMarket, GammaMarket

CLOB = ClobMarket(
    market="0xcd",
    tokens=("1", "2"),
    tick=Decimal("0.01"),
    size_min=size("5"),
    rate=Decimal("0.05"),
    exponent=Decimal(1),
    neg_risk=False,
    delayed=False,
)
GAMMA = GammaMarket(
    market="0xcd",
    version="v1",
    tokens=("1", "2"),
    prices=(Decimal("0.6"), Decimal("0.4")),
    active=True,
    closed=False,
    accepting=True,
    order_book=True,
    fees_enabled=True,
    seconds_delay=Decimal(0),
    resolution_status="",
)


@pytest.mark.parametrize(
    ("of_clob", "of_gamma", "reason"),
    [
        ({}, {}, None),
        ({"rate": None}, {"fees_enabled": False}, None),
        ({}, {"version": ""}, "protocol_version"),
        ({}, {"version": "v2"}, "protocol_version"),
        ({}, {"version": "v3"}, "protocol_version"),
        ({}, {"tokens": ("2", "1")}, "token_mismatch"),
        ({}, {"closed": True}, "market_closed"),
        ({}, {"active": False}, "market_inactive"),
        ({}, {"accepting": False}, "not_accepting_orders"),
        ({}, {"order_book": False}, "no_order_book"),
        ({}, {"seconds_delay": Decimal(3)}, "taker_delay"),
        ({"delayed": True}, {}, "taker_delay"),
        ({"tick": Decimal("0.02")}, {}, "unknown_tick"),
        ({"rate": None}, {}, "fee_unknown"),
        ({"exponent": Decimal(2)}, {}, "fee_exponent"),
    ],
)
def test_a_market_is_traded_or_refused_for_a_named_reason(
    of_clob: dict[str, Any], of_gamma: dict[str, Any], reason: str | None
) -> None:
    refused = market.untradable(replace(CLOB, **of_clob), replace(GAMMA, **of_gamma))
    assert (refused.reason if refused else None) == reason


def test_a_market_that_gamma_does_not_list_is_refused() -> None:
    refused = market.untradable(CLOB, None)
    assert refused is not None
    assert refused.reason == "market_unknown"


@pytest.mark.parametrize("tick", market.TICKS)
def test_prices_run_from_one_tick_to_one_tick_below_a_dollar(tick: Decimal) -> None:
    found = market.instrument_of(replace(CLOB, tick=tick), Outcome.NO)
    assert found.token == "2"
    assert found.allows_price(tick)
    assert found.allows_price(1 - tick)
    assert not found.allows_price(tick / 2)
    assert found.fee == PolymarketFee(Decimal("0.05"))


def test_a_free_market_has_a_rate_of_zero() -> None:
    found = market.instrument_of(replace(CLOB, rate=None), Outcome.YES)
    assert found.fee == PolymarketFee(Decimal(0))


VERDICTS = """
    closed  status      prices      yes     no
    yes     resolved    1 0         1       0
    yes     resolved    0 1         0       1
    yes     resolved    0.5 0.5     0.5     0.5
    yes     -           1 0         1       0
    yes     proposed    1 0         -       -
    yes     disputed    1 0         -       -
    yes     resolved    0.999 0.001  -      -
    yes     resolved    1 1         -       -
    no      resolved    1 0         -       -
"""


@pytest.mark.parametrize(
    ("closed", "status", "prices", "yes", "no"),
    [re.split(r"\s{2,}", line.strip()) for line in VERDICTS.strip().splitlines()[1:]],
)
def test_only_a_resolved_market_has_a_verdict(
    closed: str, status: str, prices: str, yes: str, no: str
) -> None:
    first, second = (Decimal(text) for text in prices.split())
    gamma = replace(
        GAMMA,
        closed=closed == "yes",
        resolution_status="" if status == "-" else status,
        prices=(first, second),
    )
    expected = {Outcome.YES: yes, Outcome.NO: no}
    for outcome, pays in expected.items():
        found = market.verdict(gamma, outcome)
        assert found == (None if pays == "-" else Decimal(pays))
