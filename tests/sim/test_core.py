"""Units, ledger, fault rules and listings: the parts both simulated venues stand on."""

from datetime import date
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.faults import KINDS, Faults
from sim.ledger import Account
from sim.listings import build_pairs
from sim.units import ceil_div, decimal_text, iso_time, micros, notional_ceil, notional_floor
from sim.world import World


@given(st.integers(-(10**15), 10**15))
def test_micro_units_survive_being_printed_and_read(value: int) -> None:
    assert micros(decimal_text(value)) == value


@pytest.mark.parametrize("text", ["", "1e3", "0.1234567", "NaN", "1,5", " 1", 1, None, True])
def test_what_is_no_exact_decimal_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="expected"):
        micros(text)


def test_printing_never_loses_digits() -> None:
    assert decimal_text(1_230_000, 2) == "1.23"
    assert decimal_text(-500, 4) == "-0.0005"
    assert decimal_text(3_000_000, 0) == "3"
    with pytest.raises(ValueError, match="do not fit"):
        decimal_text(1_234_567, 4)


def test_rounding_is_directed() -> None:
    assert (notional_floor(333_333, 1), notional_ceil(333_333, 1), ceil_div(-7, 2)) == (0, 1, -3)


def test_times_are_printed_to_the_microsecond() -> None:
    assert iso_time(1_781_159_387_354_803_999) == "2026-06-11T06:29:47.354803Z"


def test_an_account_is_the_sum_of_its_entries() -> None:
    account = Account(100, lambda: 7)
    account.book("trade", "t1", asset="A", cash=-40, position=3)
    account.book("fee", "t1", cash=-1)
    account.book("trade", "t2", asset="A", cash=50, position=-3)
    assert (account.cash, account.positions, account.conserved()) == (109, {}, True)
    account.cash += 1
    assert not account.conserved()


def test_an_account_notices_a_position_out_of_nowhere() -> None:
    account = Account(100, lambda: 7)
    account.positions["A"] = 1
    assert not account.conserved()
    with pytest.raises(ValueError, match="no asset"):
        account.book("trade", "t", position=1)


class TestFaults:
    """Which order a rule hits."""

    def faults(self, *rules: dict[str, object]) -> Faults:
        self.now = 0
        faults = Faults(Random(1), lambda: self.now)
        for rule in rules:
            faults.add(rule)
        return faults

    def taken(self, faults: Faults, *orders: str) -> list[str]:
        found = []
        for order in orders:
            fault = faults.take(*order.split())
            found.append(fault.do if fault else "-")
        return found

    def test_a_rule_hits_its_venue_market_and_action_after_its_skips(self) -> None:
        faults = self.faults(
            {"venue": "kalshi", "market": "p01", "action": "sell", "do": "kill", "times": 2,
             "skip": 1}
        )  # fmt: skip
        orders = ["polymarket p01 sell", "kalshi p02 sell", "kalshi p01 buy"]
        sells = ["kalshi p01 sell"] * 4
        assert self.taken(faults, *orders, *sells) == ["-"] * 3 + ["-", "kill", "kill", "-"]

    def test_a_star_means_orders_and_not_reads(self) -> None:
        faults = self.faults({"do": "refuse", "times": 0})
        orders = ["kalshi p01 buy", "polymarket p02 sell", "kalshi p01 read"]
        assert self.taken(faults, *orders) == ["refuse", "refuse", "-"]

    def test_the_first_rule_that_applies_decides(self) -> None:
        faults = self.faults({"do": "kill"}, {"do": "hang", "params": {"ms": 5}})
        assert self.taken(faults, *["kalshi p01 buy"] * 3) == ["kill", "hang", "-"]

    def test_refused_sells_end_after_their_seconds(self) -> None:
        faults = self.faults({"do": "sell_refused", "params": {"seconds": 2}})
        orders = ["kalshi p01 buy", "kalshi p01 sell"]
        assert self.taken(faults, *orders) == ["-", "sell_refused"]
        self.now = 1_999_999_999
        assert self.taken(faults, "kalshi p01 sell") == ["sell_refused"]
        self.now = 2_000_000_000
        assert self.taken(faults, "kalshi p01 sell") == ["-"]

    def test_random_faults_follow_the_seed(self) -> None:
        rule = {"do": "kill", "times": 0, "probability": "0.25"}
        first, second = (self.taken(self.faults(rule), *["kalshi p01 buy"] * 400) for _ in range(2))
        assert first == second
        assert 60 < first.count("kill") < 140

    @pytest.mark.parametrize(
        "rule",
        [
            {"do": "explode"},
            {"do": "kill", "venue": "nyse"},
            {"do": "kill", "times": -1},
            {"do": "kill", "when": "now"},
            {"do": "hang", "params": {"ms": "5"}},
            {"do": "partial", "params": {"size": 3}},
            {"do": "ghost", "venue": "kalshi"},
            {},
        ],
    )
    def test_a_wrong_rule_is_refused_by_name(self, rule: dict[str, object]) -> None:
        with pytest.raises(ValueError, match="fault rule"):
            self.faults(rule)

    def test_every_kind_is_explained(self) -> None:
        assert all(KINDS.values())


def test_pairs_follow_from_the_seed_and_differ_in_every_identifier() -> None:
    today = date(2026, 11, 20)
    pairs = build_pairs(300, Random(7), today)
    assert pairs == build_pairs(300, Random(7), today)
    assert pairs != build_pairs(300, Random(8), today)
    assert [pair.id for pair in pairs[:2]] == ["p01", "p02"]
    for names in (
        [pair.kalshi.ticker for pair in pairs],
        [pair.polymarket.condition_id for pair in pairs],
        [
            token
            for pair in pairs
            for token in (pair.polymarket.token_yes, pair.polymarket.token_no)
        ],
    ):
        assert len(set(names)) == len(names)
    assert {pair.kalshi.exchange_index for pair in pairs} == {0, 2, 3}
    assert {pair.kalshi.fee_multiplier for pair in pairs} == {"0", "0.5", "1"}


def test_a_world_refuses_a_second_outcome() -> None:
    world = World(7, 1)
    with pytest.raises(ValueError, match="expected one of"):
        world.resolve("p01", {"kalshi": "half"})
    world.outcomes["kalshi", "p01"] = "yes"
    with pytest.raises(ValueError, match="already resolved"):
        world.resolve("p01", {"kalshi": "no"})
