"""What the journal, both venues and Temporal say, compared: the differences, and nothing else.

A pure function of three views. Asked twice, or with any list in another order, it says the same. It
repairs nothing; three differences name their repair, every other one is for a person.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from domain.identity import is_client_order_id
from domain.money import NO_USD, ZERO, Size, Usd
from domain.order import Fill, FillState, Rejection
from domain.venue import Outcome, Venue

CASH_TOLERANCE = Usd(Decimal("0.01"))
"""Dollars by which an account may differ from its journal without a word."""

AMOUNTS = frozenset({"POSITION_DRIFT", "CASH_DRIFT"})
SECOND_MS = 1_000
"""What Polymarket rounds the time of a match down to."""
CLOCKS_MS = 2_000
"""How far the venues' clocks and ours may be apart."""


@dataclass(frozen=True, slots=True)
class KnownOrder:
    """An order of the journal. `rejection` is set where it is known not to have filled; neither
    `filled` nor a rejection means that nobody knows yet."""

    intent_id: str
    arb_id: str
    venue: Venue
    key: str
    filled: bool
    rejection: Rejection | None
    fills: tuple[Fill, ...] = ()


@dataclass(frozen=True, slots=True)
class AccountTrade:
    """One trade of an account as the venue lists it, whoever sent its order.

    `key` is what `Identity.key` is for an order of ours, "" where the order has none; `at_ms` is
    the venue's time of the match.
    """

    trade_id: str
    order_id: str
    key: str
    market: str
    size: Size
    state: FillState
    at_ms: int


@dataclass(frozen=True, slots=True)
class WorkingOrder:
    """An order that still stands in the venue's book."""

    order_id: str
    key: str
    market: str
    remaining: Size


Holdings = Mapping[tuple[str, Outcome], Size]
"""Contracts by (market, outcome)."""


@dataclass(frozen=True, slots=True)
class AccountView:
    """One venue account, read whole from `asked_ms` on: its trades since `since_ms` (wall clock).

    `resolved` are markets whose question is answered: positions in them come and go by payouts.
    """

    venue: Venue
    asked_ms: int
    since_ms: int
    trades: tuple[AccountTrade, ...]
    working: tuple[WorkingOrder, ...]
    positions: Holdings
    cash: Usd
    resolved: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class JournalView:
    """What the journal says. `orders` are those that a trade of the views may belong to.

    `holdings` and `flows` (dollars that came in) are folds over fills and payouts; `moved_ms` says
    when a market's or (under "") a venue's fills last changed, None while an order is indefinite
    or a fill provisional. `payable` is what payouts that are not booked yet can bring in at most.
    `known` are accepted differences by key; `since_ms` is when strangers began to matter.
    """

    orders: tuple[KnownOrder, ...]
    holdings: Mapping[Venue, Holdings]
    flows: Mapping[Venue, Usd]
    moved_ms: Mapping[tuple[Venue, str], int | None]
    payable: Mapping[Venue, Usd]
    arbitrages: frozenset[str]
    known: Mapping[str, Decimal]
    since_ms: int
    settle_ms: int


@dataclass(frozen=True, slots=True, order=True)
class AppendFill:
    """The venue lists a trade of our order that the journal has not: ask for the order again."""

    venue: Venue
    intent_id: str
    arb_id: str
    trade_id: str


@dataclass(frozen=True, slots=True, order=True)
class VoidFill:
    """The venue says that a fill which the journal counts has failed."""

    venue: Venue
    intent_id: str
    arb_id: str
    trade_id: str


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """A difference that only a person may settle: `key` names the thing, `code` the kind.

    `micro` is the offset (millionths) that makes it known once a person has accepted it.
    """

    code: str
    key: str
    venue: str
    detail: str
    micro: int = 0


Difference = AppendFill | VoidFill | Finding


def reconcile(
    journal: JournalView, accounts: Iterable[AccountView], workflows: Mapping[str, int]
) -> tuple[Difference, ...]:
    """Every difference, in one order whatever that of the views. `workflows` are the running ones
    that are old enough to be in the journal: {arb_id: start in ms}."""
    found: set[Difference] = set()
    for account in accounts:
        found |= _trades(journal, account)
        found |= _working(journal, account)
        found |= _positions(journal, account)
        found |= _cash(journal, account)
    for arb_id in workflows:
        if arb_id not in journal.arbitrages:
            detail = f"workflow {arb_id} runs, expected it in the journal, found nothing"
            found.add(Finding("STRAY_WORKFLOW", f"stray_workflow:{arb_id}", "", detail))
    unknown = (one for one in found if not _is_known(journal, one))
    return tuple(sorted(unknown, key=lambda one: (type(one).__name__, repr(one))))


def _is_known(journal: JournalView, one: Difference) -> bool:
    """Whether a person has accepted it. Amounts are accepted by their offset, not by their key."""
    return isinstance(one, Finding) and one.key in journal.known and one.code not in AMOUNTS


def _trades(journal: JournalView, account: AccountView) -> set[Difference]:
    ours = {order.key: order for order in journal.orders if order.venue is account.venue}
    found: set[Difference] = set()
    for trade in account.trades:
        order = ours.get(trade.key) if trade.key else None
        if order is None:
            found |= _foreign(journal, account.venue, trade)
        else:
            found |= _own(order, trade)
    listed = {trade.trade_id for trade in account.trades}
    read_ms = range(account.since_ms + CLOCKS_MS, account.asked_ms - journal.settle_ms)
    for order in ours.values():
        for fill in order.fills:
            due = fill.at_ms in read_ms and fill.state is FillState.CONFIRMED
            if due and fill.trade_id not in listed:
                detail = (
                    f"trade {fill.trade_id} of {fill.intent_id} is not in {account.venue}'s list"
                )
                key = f"fill_unknown:{account.venue}:{fill.trade_id}"
                found.add(Finding("FILL_NOT_AT_VENUE", key, account.venue, detail))
    return found


def _own(order: KnownOrder, trade: AccountTrade) -> set[Difference]:
    """A trade of an order that we know. While the order is indefinite its workflow is asking."""
    fill = next((one for one in order.fills if one.trade_id == trade.trade_id), None)
    about = (order.venue, order.intent_id, order.arb_id, trade.trade_id)
    void = trade.state is FillState.VOIDED
    if fill is None:
        if void or not (order.filled or order.rejection):
            return set()
        if order.filled or order.rejection is Rejection.NEVER_ARRIVED:
            return {AppendFill(*about)}
        refused = f"{order.intent_id} was refused ({order.rejection})"
        detail = f"{refused}, yet trade {trade.trade_id} filled it"
        return {Finding("FILL_CONTRADICTS", f"contradicts:{trade.trade_id}", order.venue, detail)}
    if void and fill.state is FillState.PROVISIONAL:
        return {VoidFill(*about)}
    if trade.state.final and fill.state.final and trade.state is not fill.state:
        said = f"{fill.state} in the journal and {trade.state} at the venue"
        detail = f"trade {trade.trade_id} of {order.intent_id} is {said}"
        return {Finding("FILL_CONTRADICTS", f"contradicts:{trade.trade_id}", order.venue, detail)}
    return set()


def _foreign(journal: JournalView, venue: Venue, trade: AccountTrade) -> set[Difference]:
    key = f"foreign:{venue}:{trade.trade_id}"
    if trade.at_ms < journal.since_ms - journal.since_ms % SECOND_MS:
        return set()
    if venue is Venue.KALSHI and is_client_order_id(trade.key):
        lost = f"order {trade.order_id} at {venue} has a key like ours ({trade.key})"
        detail = f"{lost}, but the journal has no such order: was an old one restored?"
        return {Finding("LOST_ORDER", key, venue, detail)}
    detail = (
        f"order {trade.order_id} at {venue} is not ours: {trade.size} contracts of {trade.market} "
        f"in trade {trade.trade_id}"
    )
    return {Finding("FOREIGN_ORDER", key, venue, detail)}


def _working(journal: JournalView, account: AccountView) -> set[Difference]:
    """Nothing of ours ever rests in a book, so an order there is a stranger's, or a fault."""
    keys = {order.key for order in journal.orders if not (order.filled or order.rejection)}
    found: set[Difference] = set()
    for order in account.working:
        key = f"foreign:{account.venue}:{order.order_id}"
        if order.key in keys:
            continue
        detail = (
            f"order {order.order_id} stands in {account.venue}'s book of {order.market} with "
            f"{order.remaining} contracts, expected none"
        )
        found.add(Finding("FOREIGN_ORDER", key, account.venue, detail))
    return found


def _positions(journal: JournalView, account: AccountView) -> set[Difference]:
    ours = net(account.venue, journal.holdings.get(account.venue, {}))
    theirs = net(account.venue, account.positions)
    found: set[Difference] = set()
    for name in set(ours) | set(theirs):
        market = name[0]
        key = position_key(account.venue, name)
        if market in account.resolved or not _quiet(journal, account, market):
            continue
        offset = journal.known.get(key, ZERO)
        gap = theirs.get(name, ZERO) - ours.get(name, ZERO)
        if gap != offset:
            detail = (
                f"{account.venue} holds {theirs.get(name, ZERO)} {name[1]} of {market}, expected "
                f"{ours.get(name, ZERO) + offset}"
            )
            found.add(Finding("POSITION_DRIFT", key, account.venue, detail, _micro(gap)))
    return found


def _cash(journal: JournalView, account: AccountView) -> set[Difference]:
    key = cash_key(account.venue)
    if key not in journal.known or not _quiet(journal, account, ""):
        return set()
    gap = account.cash - journal.flows.get(account.venue, NO_USD)
    drift = gap - journal.known[key]
    payable = journal.payable.get(account.venue, NO_USD)
    if abs(drift) <= CASH_TOLERANCE or ZERO < drift <= payable:
        return set()
    detail = f"{account.venue} has {account.cash} dollars, expected {account.cash - drift}"
    return {Finding("CASH_DRIFT", key, account.venue, detail, _micro(gap))}


def net(venue: Venue, holdings: Holdings) -> dict[tuple[str, Outcome], Decimal]:
    """Holdings as the venue counts them: Kalshi nets both answers of a market into one number."""
    found: dict[tuple[str, Outcome], Decimal] = defaultdict(Decimal)
    for (market, outcome), size in holdings.items():
        if venue is Venue.KALSHI:
            found[market, Outcome.YES] += size if outcome is Outcome.YES else -size
        else:
            found[market, outcome] += size
    return dict(found)


def position_key(venue: Venue, name: tuple[str, Outcome]) -> str:
    """How a position is named among known differences."""
    return f"position:{venue}:{name[0]}:{name[1]}"


def cash_key(venue: Venue) -> str:
    """How an account's own cash is named among known differences."""
    return f"cash:{venue}"


def _quiet(journal: JournalView, account: AccountView, market: str) -> bool:
    """Whether nothing of ours has moved there for long enough that both must agree."""
    moved = journal.moved_ms.get((account.venue, market), 0)
    return moved is not None and moved + journal.settle_ms <= account.asked_ms


def _micro(value: Decimal) -> int:
    return int(value * 1_000_000)
