"""From amounts and rows to exact fills, and what is too little to conclude from."""

import re
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.money import Price, Size, Usd, price, size, usd
from domain.order import Filled, FillState, NotFilled, Rejection, Unknown
from tests.venues.polymarket.builders import an_instrument, an_order
from venues.polymarket import fills, verdicts
from venues.polymarket.shapes import OrderSeen, Posted, Trade

ORDER_ID = "0x" + "cd" * 32


def a_trade(
    trade_id: str = "t-1",
    sized: str = "10",
    priced: str = "0.58",
    state: FillState = FillState.PROVISIONAL,
) -> Trade:
    return Trade(trade_id, ORDER_ID, "0x", "1", size(sized), price(priced), state, 1_000)


def an_answer(
    making: str = "5.8",
    taking: str = "10",
    status: str = "matched",
    trades: tuple[str, ...] = ("t",),
) -> Posted:
    return Posted(True, "", ORDER_ID, status, Decimal(making), Decimal(taking), trades)


# what the venue says of FOK orders of 10 at 0.58, and what that proves
ANSWERS = """
    action  making      taking      status      verdict
    buy     5.8         10          matched     filled 10 5.8
    buy     5.8         10.545454   matched     filled 10.545454 5.8
    buy     5.79        10          matched     filled 10 5.79
    sell    10          5.8         matched     filled 10 5.8
    sell    10          6.2         matched     filled 10 6.2
    buy     0           0           delayed     unknown status 'delayed'
    buy     0           0           live        unknown status 'live'
    buy     0           0           unmatched   unknown status 'unmatched'
    buy     0           0           matched     unknown matched 0
    buy     5800000     10000000    matched     unknown spent more than 10 * 0.58
    buy     5.8         10000000    matched     unknown paid less than the tick 0.01
    buy     5.8         9.9         matched     unknown paid more than 0.58
    sell    10000000    5800000     matched     unknown sold more than 10
    sell    10          5800000     matched     unknown received more than a dollar
    sell    10          5.7         matched     unknown received less than 0.58
    sell    11          6.38        matched     unknown sold more than 10
"""


@pytest.mark.parametrize(
    ("action", "making", "taking", "status", "verdict"),
    [re.split(r"\s{2,}", line.strip()) for line in ANSWERS.strip().splitlines()[1:]],
)
def test_an_answer_counts_only_where_the_order_could_have_it(
    action: str, making: str, taking: str, status: str, verdict: str
) -> None:
    order = an_order(action)
    answer = verdicts.of_answer(order, ORDER_ID, an_answer(making, taking, status), (), 1)
    word, _, rest = verdict.partition(" ")
    if word == "filled":
        assert isinstance(answer, Filled)
        (fill,) = answer.fills
        assert f"{fill.size} {fill.notional}" == rest
    else:
        assert isinstance(answer, Unknown)
        assert rest in answer.evidence


def test_an_answer_for_another_order_is_unknown() -> None:
    answer = verdicts.of_answer(an_order(), "0xother", an_answer(), (), 1)
    assert isinstance(answer, Unknown)
    assert "expected order 0xother" in answer.evidence


def test_the_observed_fee_of_the_venue_is_ours() -> None:
    order = an_order(size="5", limit="0.47", instrument=an_instrument(rate="0.07"))
    fill = fills.single(order, "t", size("5"), usd("2.35"), 0)
    assert fill.fee == Decimal("0.08718")


class TestSeveralTrades:
    ROWS = (a_trade("t-1", "4", "0.57"), a_trade("t-2", "6.068965", "0.58"))

    def test_rows_that_add_up_are_the_fills(self) -> None:
        answer = verdicts.of_answer(
            an_order(),
            ORDER_ID,
            an_answer("5.8", "10.068965", trades=("t-1", "t-2")),
            self.ROWS,
            1,
        )
        assert isinstance(answer, Filled)
        assert [fill.trade_id for fill in answer.fills] == ["t-1", "t-2"]
        assert sum(fill.notional for fill in answer.fills) == Decimal("5.8")

    @pytest.mark.parametrize("rows", [(), ROWS[:1], ROWS[1:]])
    def test_missing_rows_leave_it_unknown(self, rows: tuple[Trade, ...]) -> None:
        posted = an_answer("5.8", "10.068965", trades=("t-1", "t-2"))
        answer = verdicts.of_answer(an_order(), ORDER_ID, posted, rows, 1)
        assert isinstance(answer, Unknown)

    def test_an_answer_without_trade_ids_takes_the_rows_that_add_up(self) -> None:
        posted = an_answer("5.8", "10.068965", trades=())
        answer = verdicts.of_answer(an_order(), ORDER_ID, posted, self.ROWS, 1)
        assert isinstance(answer, Filled)


class TestRecords:
    def test_nothing_seen_is_no_answer(self) -> None:
        assert verdicts.of_records(an_order(), ORDER_ID, None, ()) is None

    def test_a_whole_buy_spends_exactly_its_dollars(self) -> None:
        rows = (a_trade("t-1", "4", "0.57"), a_trade("t-2", "6.068965", "0.58"))
        answer = verdicts.of_records(an_order(), ORDER_ID, None, rows)
        assert isinstance(answer, Filled)
        assert sum(fill.notional for fill in answer.fills) == Decimal("5.8")

    def test_part_of_a_fill_or_kill_is_not_the_whole(self) -> None:
        answer = verdicts.of_records(an_order(), ORDER_ID, None, (a_trade(sized="4"),))
        assert isinstance(answer, Unknown)

    def test_a_smaller_fill_is_whole_where_the_order_itself_lists_it(self) -> None:
        seen = OrderSeen(ORDER_ID, "MATCHED", size("4"), ("t-1",))
        answer = verdicts.of_records(an_order(), ORDER_ID, seen, (a_trade(sized="4"),))
        assert isinstance(answer, Filled)
        assert answer.fills[0].size == 4

    @pytest.mark.parametrize(
        ("status", "rejection"),
        [
            ("CANCELED", Rejection.KILLED),
            ("CANCELED_MARKET_RESOLVED", Rejection.MARKET_CLOSED),
            ("CANCELED_BY_OPERATOR", Rejection.KILLED),
            ("INVALID", Rejection.INVALID_ORDER),
        ],
    )
    def test_an_order_that_ended_unmatched_is_proven(
        self, status: str, rejection: Rejection
    ) -> None:
        seen = OrderSeen(ORDER_ID, status, size("0"), ())
        answer = verdicts.of_records(an_order(), ORDER_ID, seen, ())
        assert isinstance(answer, NotFilled)
        assert answer.rejection is rejection

    @pytest.mark.parametrize("status", ["LIVE", "DELAYED", "UNMATCHED", "MATCHED", "NEW_WORD"])
    def test_any_other_status_stays_unknown(self, status: str) -> None:
        answer = verdicts.of_records(
            an_order(), ORDER_ID, OrderSeen(ORDER_ID, status, size("0"), ()), ()
        )
        assert isinstance(answer, Unknown)

    def test_a_cancelled_order_with_a_match_stays_unknown(self) -> None:
        seen = OrderSeen(ORDER_ID, "CANCELED", size("4"), ("t-1",))
        assert isinstance(verdicts.of_records(an_order(), ORDER_ID, seen, ()), Unknown)


@given(
    levels=st.lists(
        st.tuples(st.integers(1, 58), st.integers(1, 400)),
        min_size=1,
        max_size=5,
        unique_by=lambda x: x[0],
    )
)
def test_rows_of_a_dollar_bounded_buy_always_sum_to_its_dollars(
    levels: list[tuple[int, int]],
) -> None:
    """The last level is bought with what is left and its size cut to a micro-share."""
    order = an_order(size="100")
    left, rows = 58_000_000, []
    for cents, hundredths in sorted(levels):
        micro_price = cents * 10_000
        spent = min(left, micro_price * hundredths // 100)
        shares = spent * 1_000_000 // micro_price
        if shares:
            rows.append((cents, shares, spent))
            left -= spent
    cents = 58
    rows.append((cents, left * 1_000_000 // 580_000, left))
    trades = tuple(
        Trade(
            f"t-{n}", ORDER_ID, "0x", "1", Size(Decimal(shares).scaleb(-6)),
            Price(Decimal(cents) / 100), FillState.PROVISIONAL, 0,
        )
        for n, (cents, shares, _) in enumerate(rows)
        if shares
    )  # fmt: skip
    assert fills.adds_up(order, trades)
    found = fills.of_rows(order, trades, fills.known_total(order, trades))
    assert sum(fill.notional for fill in found) == Decimal("58")


class TestStates:
    KNOWN = fills.of_rows(an_order(), (a_trade(state=FillState.PROVISIONAL),))

    def seen(self, state: FillState) -> FillState:
        known = self.KNOWN
        return fills.latest(known, (replace(known[0], state=state),))[0].state

    def test_a_state_moves_forward(self) -> None:
        assert self.seen(FillState.CONFIRMED) is FillState.CONFIRMED
        assert self.seen(FillState.VOIDED) is FillState.VOIDED

    def test_a_lagging_listing_takes_no_final_state_back(self) -> None:
        final = (replace(self.KNOWN[0], state=FillState.CONFIRMED),)
        assert fills.latest(final, self.KNOWN) == final

    def test_a_contradiction_of_final_states_is_passed_on(self) -> None:
        final = (replace(self.KNOWN[0], state=FillState.CONFIRMED),)
        voided = (replace(self.KNOWN[0], state=FillState.VOIDED),)
        assert fills.latest(final, voided) == voided

    def test_amounts_stay_as_first_recorded(self) -> None:
        other = (replace(self.KNOWN[0], notional=Usd(Decimal(1)), state=FillState.CONFIRMED),)
        assert fills.latest(self.KNOWN, other)[0].notional == self.KNOWN[0].notional
