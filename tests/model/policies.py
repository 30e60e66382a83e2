"""Ways to recover, ours among them: what each does next, and what must not come of it.

All of them decide with the product's own `decide` over the product's own `fold`; they differ in
what they believe. Ours concludes with the product's own `conclude_absent`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import product
from typing import assert_never

from domain.decision import (
    BuyOpposite,
    Complete,
    Decision,
    Escalate,
    Hold,
    Limits,
    PriceExits,
    Reconcile,
    StandDown,
    Unwind,
    decide,
)
from domain.evidence import Observation, Quarantine, conclude_absent
from domain.exits import NOT_PRICED, Completion, Exits
from domain.leg import LegState, fold
from domain.money import NO_SIZE, NO_USD, Size, price, size, usd
from domain.order import Fill, FillState, NotFilled
from domain.venue import Action, Venue
from tests.model.search import Model
from tests.model.world import (
    ATTEMPTS_MAX,
    QUARANTINE,
    Known,
    Order,
    Rules,
    State,
    events,
    hear,
    post,
    start,
    tidy,
)

ONE_CONTRACT = size(1)
SOURCES = ("orders", "fills")
POSTS_MAX = 2
OPPOSITES_MAX = 2
WAYS_OUT = (
    NOT_PRICED,
    Exits(Completion(ONE_CONTRACT, price("0.5")), usd(0), usd("0.1"), "completing is cheaper"),
)
"""What the books may say of an uneven pair: selling is left, or completing is cheaper."""
RULE = {
    Venue.POLYMARKET: Quarantine(wait_ms=QUARANTINE, must="fills"),
    Venue.KALSHI: Quarantine(wait_ms=QUARANTINE, needs_as_of=True, must="fills"),
}


@dataclass(frozen=True, slots=True)
class Policy:
    """What is done on a read that finds nothing, and what a provisional fill means.

    `on_miss`: "conclude" it refused, "repost" it, or "quarantine" it. `final`: a match counts as
    settled. `corrects`: fills are read again until they are settled. `attempts` to get even, then
    a person is asked, or before that, with `opposite`, what is held at Polymarket is neutralised
    there by the other outcome. `hasty` does so while a sale has no answer; `doubles` takes a
    neutral contract for one of the other leg, too; `trusts` a match of the other outcome for good.
    """

    letter: str
    title: str
    on_miss: str
    final: bool = False
    corrects: bool = True
    attempts: int = ATTEMPTS_MAX
    opposite: bool = False
    hasty: bool = False
    doubles: bool = False
    trusts: bool = False

    @property
    def ours(self) -> bool:
        """Whether this is how Lockstep recovers."""
        return self in (OURS, NEUTRALISING)


OURS = Policy("G", "quarantine, act only on terminal settlement", "quarantine")
NEUTRALISING = replace(
    OURS, letter="H", title="as G, and neutralise what is not sold", attempts=1, opposite=True
)


def model(policy: Policy, rules: Rules) -> Model[State]:
    """The policy in a world."""
    return Model(
        start=start(rules),
        steps=lambda state: _steps(policy, rules, state),
        broken=lambda state, at_rest: _broken(policy, state, at_rest),
    )


def _steps(policy: Policy, rules: Rules, state: State) -> Iterator[tuple[str, State]]:
    planned = [order for order in state.orders if order.known is Known.PLANNED]
    if planned:
        yield from _post(state, tuple(planned), rules)
    if not planned or state.crashes < rules.crashes:
        yield from _executor(policy, rules, state)
    yield from events(state, rules)


def _post(state: State, orders: tuple[Order, ...], rules: Rules) -> Iterator[tuple[str, State]]:
    """What is written down leaves together. A crash keeps each order where it is, or marked as
    sent without a byte, or gone."""
    names = " and ".join(order.name for order in orders)
    yield f"{names}: post", state.put(*map(post, orders))
    if not state.crashes:
        return
    ends: dict[str, Callable[[Order], Order]] = {
        "is written down": tidy,
        "is marked as sent": _mark,
        "has left": post,
    }
    for chosen in product(ends, repeat=len(orders)):
        after = state.put(*(ends[end](order) for end, order in zip(chosen, orders, strict=True)))
        what = ", ".join(f"{order.name} {end}" for end, order in zip(chosen, orders, strict=True))
        yield f"crash: {what}", replace(after, crashes=state.crashes - 1)


def _mark(order: Order) -> Order:
    return replace(order, known=Known.SENT, posts=1)


def _executor(policy: Policy, rules: Rules, state: State) -> Iterator[tuple[str, State]]:
    """What the decision makes the executor do next."""
    decision = decision_of(policy, state)
    if isinstance(decision, PriceExits):
        for exits in WAYS_OUT:
            yield from _perform(policy, rules, state, decision_of(policy, state, exits))
    else:
        yield from _perform(policy, rules, state, decision)


def _perform(
    policy: Policy, rules: Rules, state: State, decision: Decision
) -> Iterator[tuple[str, State]]:
    match decision:
        case Reconcile(venues):
            for venue in venues:
                yield from _resolve(policy, state, venue)
        case Unwind(venue, excess):
            yield from _even(state, rules, Order(venue, 0, Action.SELL), excess)
        case Complete(venue, lacking, _):
            yield from _even(state, rules, Order(venue, 0, Action.BUY), lacking)
        case BuyOpposite(venue, excess):
            yield from _even(state, rules, Order(venue, 0, Action.BUY, other=True), excess)
        case Hold() | Escalate():
            if policy.corrects:
                yield from _refresh(policy, state, tuple(Venue))
        case StandDown():
            pass
        case PriceExits():
            raise AssertionError(f"expected an order, found {decision}")
        case _:
            assert_never(decision)


def _even(state: State, rules: Rules, order: Order, contracts: Size) -> Iterator[tuple[str, State]]:
    """An order that makes the legs equal again, under the next number of its leg."""
    assert contracts == ONE_CONTRACT, f"expected an order of one contract, found {contracts}"
    order = replace(order, number=len(state.of(order.venue)))
    blind = any(_open_in_truth(state, leg) for leg in Venue)
    before = replace(state, blind=state.blind or blind).put(order)
    yield from _post(before, (order,), rules)


def decision_of(policy: Policy, state: State, exits: Exits | None = None) -> Decision:
    """The product's decision over what this policy believes."""
    bought = [order for order in state.orders if order.other]
    filled = sum(order.known is Known.FILLED for order in bought)
    tried = len(state.orders) - len(Venue) - len(bought)
    # One that was filled is progress: a fresh set of attempts, and then another purchase.
    left = policy.attempts * (1 + filled) - tried
    may_buy = policy.opposite and filled == len(bought) < OPPOSITES_MAX
    polymarket, kalshi = (_leg(policy, state.of(venue)) for venue in Venue)
    if policy.doubles:
        kalshi = replace(kalshi, held=Size(kalshi.held + polymarket.neutral))
    if policy.hasty and left <= 0 and not any(order.known is Known.PLANNED for order in bought):
        polymarket = replace(polymarket, unknown=())
    return decide(polymarket, kalshi, Limits(left, NO_SIZE, usd(1), may_buy), exits=exits)


@cache
def _leg(policy: Policy, orders: tuple[Order, ...]) -> LegState:
    return _folded(
        orders[0].venue,
        tuple((o.number, o.action, o.fills, policy.trusts and o.other) for o in orders),
        tuple(order.name for order in orders if not order.known.definite),
        policy.final,
        frozenset(str(order.number) for order in orders if order.other),
    )


@cache
def _folded(
    venue: Venue,
    filled: tuple[tuple[int, Action, tuple[FillState, ...], bool], ...],
    unknown: tuple[str, ...],
    final: bool,
    opposite: frozenset[str],
) -> LegState:
    fills = (
        Fill(
            venue=venue,
            trade_id=f"{number}/{index}",
            intent_id=str(number),
            action=action,
            size=ONE_CONTRACT,
            notional=usd("0.4"),
            fee=NO_USD,
            state=_believed(state, final or trusted),
            at_ms=0,
        )
        for number, action, states, trusted in filled
        for index, state in enumerate(states)
    )
    ordered = {str(number): ONE_CONTRACT for number, *_ in filled}
    return fold(venue, ONE_CONTRACT, fills, unknown, opposite, ordered)


def _believed(state: FillState, final: bool) -> FillState:
    return FillState.CONFIRMED if final and state is FillState.PROVISIONAL else state


def _resolve(policy: Policy, state: State, venue: Venue) -> Iterator[tuple[str, State]]:
    for order in state.of(venue):
        if order.known is Known.PLANNED:
            withdrawn = replace(order, known=Known.ABSENT)
            yield f"{order.name}: withdrawn before it was sent", state.put(withdrawn)
        elif order.known is Known.SENT:
            for label, after in _read(policy, order):
                yield label, state.put(after)
    yield from _refresh(policy, state, (venue,))


def _refresh(
    policy: Policy, state: State, venues: tuple[Venue, ...]
) -> Iterator[tuple[str, State]]:
    for venue in venues:
        for order in state.of(venue):
            if policy.trusts and order.other:
                continue
            truth = tuple(one.state for one in order.done[: len(order.fills)])
            if truth != order.fills:
                label = f"{order.name}: the fill is read again"
                yield label, state.put(replace(order, fills=truth))


@cache
def _read(policy: Policy, order: Order) -> tuple[tuple[str, Order], ...]:
    found = _read_at(policy, order)
    return tuple((f"{order.name}: {label}", tidy(after)) for label, after in found)


def _read_at(policy: Policy, order: Order) -> Iterator[tuple[str, Order]]:
    """Both sources are asked. An index that trails shows nothing of the current instant."""
    for lag in (0, 1):
        as_of = order.age - lag if order.venue is Venue.KALSHI else None
        if any(one.age <= order.age - lag for one in order.done):
            yield "found at its venue", hear(order, Known.FILLED)
        elif order.killed and lag == 0:
            yield "found killed at its venue", hear(order, Known.ABSENT)
        else:
            yield from _missed(policy, order, as_of)


def _missed(policy: Policy, order: Order, as_of: int | None) -> Iterator[tuple[str, Order]]:
    if policy.on_miss == "conclude":
        yield "not found, concluded refused", replace(order, known=Known.ABSENT)
    elif policy.on_miss == "repost":
        if order.posts < POSTS_MAX:
            yield "not found, posted again", post(order)
    else:
        seen = {Observation(source, order.age, False, as_of) for source in SOURCES}
        missed = replace(order, misses=order.misses | seen)
        if _concluded(missed):
            missed = replace(missed, known=Known.ABSENT)
        yield "not found", missed


def _concluded(order: Order) -> bool:
    """The product's rule; reads that failed never help it along."""
    misses = tuple(sorted(order.misses, key=lambda one: (one.at_ms, one.source)))
    failed = tuple(Observation(source, order.age, None) for source in SOURCES)
    rule = RULE[order.venue]
    answer = conclude_absent(misses, 0, order.age, rule)
    assert answer == conclude_absent(misses + failed, 0, order.age, rule), "an error was evidence"
    return isinstance(answer, NotFilled)


def _open_in_truth(state: State, venue: Venue) -> bool:
    """Whether a leg may still come to hold more or less than it does now."""
    provisional = (
        one.state is FillState.PROVISIONAL for order in state.of(venue) for one in order.done
    )
    return any(order.packets for order in state.of(venue)) or any(provisional)


def _broken(policy: Policy, state: State, at_rest: bool) -> str | None:
    for order in state.orders:
        if order.executed > 1:
            return f"{order.name} was executed twice"
        if order.known.definite and len(order.done) > len(order.fills):
            return f"{order.name} was executed after it was concluded"
    for venue in Venue:
        if state.position(venue) < 0:
            return f"{venue} is short: inverse exposure"
    if state.opposite > state.position(Venue.POLYMARKET):
        return "the other outcome is held alone: inverse exposure"
    if at_rest:
        return _unrested(policy, state)
    return "an order left to get even while a leg was open" if policy.ours and state.blind else None


def _unrested(policy: Policy, state: State) -> str | None:
    held = [state.exposed(venue) for venue in Venue]
    alarmed = isinstance(decision_of(policy, state), Escalate)
    if held[0] != held[1] and not alarmed:
        return f"unhedged for ever and silent: {held[0]} against {held[1]}"
    if any(not order.known.definite for order in state.orders) and policy.ours:
        return "an order is never resolved"
    return None
