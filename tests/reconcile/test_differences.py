"""The comparison as a pure function: what it says, and that nothing but the facts decides it."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.money import NO_USD, Size, usd
from domain.order import Fill, FillState, Rejection
from domain.reconcile import (
    AccountTrade,
    AccountView,
    AppendFill,
    Difference,
    Finding,
    JournalView,
    KnownOrder,
    VoidFill,
    WorkingOrder,
    cash_key,
    reconcile,
)
from domain.venue import Action, Outcome, Venue

NOW = 1_790_000_000_000
SETTLE = 2_000
PM, KX = Venue.POLYMARKET, Venue.KALSHI


def fill(trade: str, state: FillState = FillState.CONFIRMED, venue: Venue = PM) -> Fill:
    """Five contracts at forty cents, long enough ago to be listed."""
    return Fill(
        venue, trade, "arb/1", Action.BUY, Size(Decimal(5)), usd(2), NO_USD, state, NOW - 20_000
    )


def order(*fills: Fill, rejection: Rejection | None = None, venue: Venue = PM) -> KnownOrder:
    """An order of ours; filled where it has fills."""
    return KnownOrder("arb/1", "arb", venue, "ours", bool(fills), rejection, fills)


def trade(
    name: str, state: FillState = FillState.CONFIRMED, key: str = "ours", at_ms: int = NOW - 20_000
) -> AccountTrade:
    """A trade as a venue lists it."""
    return AccountTrade(name, "venue-1", key, "game", Size(Decimal(5)), state, at_ms)


def account(*trades: AccountTrade, venue: Venue = PM, **more: object) -> AccountView:
    """An account with ten dollars and nothing else."""
    view = AccountView(venue, NOW, NOW - 60_000, trades, (), {}, usd(10))
    return replace(view, **more)  # type: ignore[arg-type]


def journal(*orders: KnownOrder, **more: object) -> JournalView:
    """A journal that knows these orders and the account's own ten dollars."""
    view = JournalView(
        orders=orders,
        holdings={},
        flows={},
        moved_ms={},
        payable={},
        arbitrages=frozenset({"arb"}),
        known={cash_key(PM): usd(10), cash_key(KX): usd(10)},
        since_ms=NOW - 60_000,
        settle_ms=SETTLE,
    )
    return replace(view, **more)  # type: ignore[arg-type]


def codes(found: tuple[Difference, ...]) -> list[str]:
    """What was found, in short."""
    return [one.code if isinstance(one, Finding) else type(one).__name__ for one in found]


P, C, V = FillState.PROVISIONAL, FillState.CONFIRMED, FillState.VOIDED
NEVER, KILLED = Rejection.NEVER_ARRIVED, Rejection.KILLED
TRADES = {
    "a trade that is known": (order(fill("t")), trade("t"), []),
    "a trade that is missing": (order(fill("t")), trade("u"), ["AppendFill", "FILL_NOT_AT_VENUE"]),
    "a second trade of an order": (order(fill("t", P)), trade("u", P), ["AppendFill"]),
    "a trade of one that never arrived": (order(rejection=NEVER), trade("t"), ["AppendFill"]),
    "a failed trade of one that never arrived": (order(rejection=NEVER), trade("t", V), []),
    "a trade of one that was refused": (order(rejection=KILLED), trade("t"), ["FILL_CONTRADICTS"]),
    "a trade of one that nobody knows yet": (order(), trade("t"), []),
    "a provisional fill that failed": (order(fill("t", P)), trade("t", V), ["VoidFill"]),
    "a provisional fill that is final": (order(fill("t", P)), trade("t", C), []),
    "a final fill that failed": (order(fill("t")), trade("t", V), ["FILL_CONTRADICTS"]),
    "a failed fill that is final": (order(fill("t", V)), trade("t", C), ["FILL_CONTRADICTS"]),
    "a list that lags": (order(fill("t")), trade("t", P), []),
    "a stranger's trade": (order(fill("t", P)), trade("x", key="theirs"), ["FOREIGN_ORDER"]),
    "a trade without a key": (order(fill("t", P)), trade("x", key=""), ["FOREIGN_ORDER"]),
    "a stranger's trade before our time": (
        order(fill("t", P)),
        trade("x", key="theirs", at_ms=NOW - 70_000),
        [],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TRADES)
def test_a_trade(name: str) -> None:
    known, seen, expected = TRADES[name]
    assert codes(reconcile(journal(known), [account(seen)], {})) == expected


def test_a_repair_names_the_order_and_the_trade() -> None:
    missing = reconcile(journal(order(rejection=NEVER)), [account(trade("t"))], {})
    assert missing == (AppendFill(PM, "arb/1", "arb", "t"),)
    failed = reconcile(journal(order(fill("t", P))), [account(trade("t", V))], {})
    assert failed == (VoidFill(PM, "arb/1", "arb", "t"),)


def test_a_key_like_ours_that_the_journal_lacks_is_no_strangers() -> None:
    lost = trade("t", key="0123456789abcdefghijklmnopqrstuv")
    found = reconcile(journal(), [account(lost, venue=KX)], {})
    assert codes(found) == ["LOST_ORDER"]


def test_an_order_that_rests_is_named_and_one_of_ours_that_is_being_asked_for_is_not() -> None:
    resting = WorkingOrder("venue-2", "theirs", "game", Size(Decimal(7)))
    (found,) = reconcile(journal(), [account(working=(resting,))], {})
    assert isinstance(found, Finding)
    assert "venue-2" in found.detail
    assert "7 contracts" in found.detail
    ours = replace(resting, key="ours")
    assert reconcile(journal(order()), [account(working=(ours,))], {}) == ()


HELD = {("game", Outcome.YES): Size(Decimal(5))}


@pytest.mark.parametrize(
    ("told", "seen", "more", "expected"),
    [
        (HELD, HELD, {}, []),
        (HELD, {}, {}, ["POSITION_DRIFT"]),
        ({}, HELD, {}, ["POSITION_DRIFT"]),
        ({}, HELD, {"known": {"position:polymarket:game:yes": Decimal(5)}}, []),
        ({}, HELD, {"known": {"position:polymarket:game:yes": Decimal(4)}}, ["POSITION_DRIFT"]),
        (HELD, {}, {"moved_ms": {(PM, "game"): NOW - SETTLE + 1}}, []),
        (HELD, {}, {"moved_ms": {(PM, "game"): NOW - SETTLE}}, ["POSITION_DRIFT"]),
        (HELD, {}, {"moved_ms": {(PM, "game"): None}}, []),
    ],
)
def test_a_position(
    told: object, seen: object, more: dict[str, object], expected: list[str]
) -> None:
    view = journal(holdings={PM: told}, **more)
    assert codes(reconcile(view, [account(positions=seen)], {})) == expected


def test_a_position_in_a_market_that_is_resolved_comes_and_goes_by_payouts() -> None:
    view = journal(holdings={PM: HELD})
    assert reconcile(view, [account(resolved=frozenset({"game"}))], {}) == ()


def test_kalshi_counts_both_answers_of_a_market_as_one() -> None:
    both = {("game", Outcome.YES): Size(Decimal(5)), ("game", Outcome.NO): Size(Decimal(3))}
    two = {("game", Outcome.YES): Size(Decimal(2))}
    view = journal(holdings={KX: both})
    assert reconcile(view, [account(venue=KX, positions=two)], {}) == ()
    assert codes(reconcile(journal(holdings={PM: both}), [account(positions=two)], {})) == [
        "POSITION_DRIFT",
        "POSITION_DRIFT",
    ]


@pytest.mark.parametrize(
    ("cash", "more", "expected"),
    [
        ("10", {}, []),
        ("10.01", {}, []),
        ("10.02", {}, ["CASH_DRIFT"]),
        ("9.98", {}, ["CASH_DRIFT"]),
        ("8", {"flows": {PM: usd(-2)}}, []),
        ("8", {}, ["CASH_DRIFT"]),
        ("13", {"payable": {PM: usd(5)}}, []),
        ("15.5", {"payable": {PM: usd(5)}}, ["CASH_DRIFT"]),
        ("8", {"payable": {PM: usd(5)}}, ["CASH_DRIFT"]),
        ("8", {"moved_ms": {(PM, ""): None}}, []),
        ("8", {"moved_ms": {(PM, ""): NOW - 1}}, []),
        ("8", {"known": {}}, []),
    ],
)
def test_cash(cash: str, more: dict[str, object], expected: list[str]) -> None:
    assert codes(reconcile(journal(**more), [account(cash=usd(cash))], {})) == expected


def test_a_workflow_that_the_journal_lacks_is_found() -> None:
    assert reconcile(journal(), [account()], {"arb": 1}) == ()
    (found,) = reconcile(journal(), [account()], {"arb-lost": 1})
    assert isinstance(found, Finding)
    assert (found.code, found.key) == ("STRAY_WORKFLOW", "stray_workflow:arb-lost")


def test_what_a_person_accepted_is_found_no_more() -> None:
    stranger = account(trade("x", key="theirs"))
    (found,) = reconcile(journal(), [stranger], {})
    assert isinstance(found, Finding)
    view = journal(known={**journal().known, found.key: Decimal(0)})
    assert reconcile(view, [stranger], {}) == ()


states = st.sampled_from(list(FillState))
trades = st.builds(trade, st.sampled_from("tuvw"), states, st.sampled_from(["ours", "theirs", ""]))
known_fills = st.lists(st.builds(fill, st.sampled_from("tuvw"), states), max_size=3)
orders = st.builds(
    lambda fills, rejection: order(*fills, rejection=None if fills else rejection),
    known_fills,
    st.sampled_from([None, NEVER, KILLED]),
)


@given(st.lists(trades, max_size=5), orders, st.randoms())
def test_the_order_of_the_lists_does_not_matter_and_asking_twice_says_the_same(
    seen: list[AccountTrade], known: KnownOrder, chance: object
) -> None:
    shuffled = list(seen)
    shuffle: Callable[[list[AccountTrade]], None] = chance.shuffle  # type: ignore[attr-defined]
    shuffle(shuffled)
    views = [account(*seen), account(venue=KX)]
    first = reconcile(journal(known), views, {})
    assert reconcile(journal(known), views[::-1], {}) == first
    assert reconcile(journal(known), [account(*shuffled), views[1]], {}) == first


@given(st.lists(trades, max_size=5), orders)
def test_what_was_repaired_is_not_found_again(seen: list[AccountTrade], known: KnownOrder) -> None:
    found = reconcile(journal(known), [account(*seen)], {})
    missing = {one.trade_id for one in found if isinstance(one, AppendFill)}
    failed = {one.trade_id for one in found if isinstance(one, VoidFill)}
    listed = {one.trade_id: one.state for one in seen if one.key == "ours"}
    kept = [replace(one, state=V) if one.trade_id in failed else one for one in known.fills]
    mended = (*kept, *(fill(name, listed[name]) for name in sorted(missing)))
    rejection = None if mended else known.rejection
    again = reconcile(
        journal(replace(known, fills=mended, filled=bool(mended), rejection=rejection)),
        [account(*seen)],
        {},
    )
    assert not [one for one in again if isinstance(one, VoidFill) and one.trade_id in failed]
    assert not [one for one in again if isinstance(one, AppendFill) and one.trade_id in missing]
