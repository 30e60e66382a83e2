"""Two legs of one contract each: what the journal knows, and what is true at the venues.

Time is an age per order: 0 when its bytes leave, QUARANTINE when the quarantine is over. A packet
may arrive while the order is younger than the world's `window`, never later. An answer is heard
as its order is matched, or lost: a crash before it was written down is a lost answer too.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum
from functools import cache

from domain.evidence import Observation
from domain.order import FillState
from domain.venue import Action, Venue

QUARANTINE = 2
OLDEST = QUARANTINE + 1
ATTEMPTS_MAX = 2


class Known(Enum):
    """What the journal says of an order."""

    PLANNED = "planned"
    SENT = "sent"
    FILLED = "filled"
    ABSENT = "absent"

    @property
    def definite(self) -> bool:
        """Whether nobody asks about the order again."""
        return self in (Known.FILLED, Known.ABSENT)


@dataclass(frozen=True, slots=True)
class Execution:
    """One match at the venue, when it happened, and how far it has settled."""

    age: int
    state: FillState

    @property
    def live(self) -> bool:
        """Whether it moved contracts, as far as the venue knows."""
        return self.state is not FillState.VOIDED


@dataclass(frozen=True, slots=True, eq=False)
class Order:
    """Compared by identity: `tidy` returns the one object there is of equal orders.

    One order of one contract, `other` for the other outcome of its market. The journal's side:
    `known`, `fills`, `misses`. The truth: `packets` under way, `done` matches, `killed`."""

    venue: Venue
    number: int
    action: Action = Action.BUY
    known: Known = Known.PLANNED
    fills: tuple[FillState, ...] = ()
    misses: frozenset[Observation] = frozenset()
    age: int = 0
    posts: int = 0
    packets: int = 0
    done: tuple[Execution, ...] = ()
    killed: bool = False
    other: bool = False

    @property
    def name(self) -> str:
        """For traces."""
        if self.number == 0:
            return f"{self.venue} entry"
        if self.other:
            return f"{self.venue} opposite {self.number}"
        word = "completion" if self.action is Action.BUY else "sale"
        return f"{self.venue} {word} {self.number}"

    @property
    def executed(self) -> int:
        """Contracts that this order really moved."""
        return sum(one.live for one in self.done)


@dataclass(frozen=True, slots=True)
class State:
    """Everything. `blind` says that an order left to get even while a leg was open in truth."""

    orders: tuple[Order, ...]
    crashes: int
    blind: bool = False

    def of(self, venue: Venue) -> tuple[Order, ...]:
        """The orders of one leg."""
        return tuple(order for order in self.orders if order.venue is venue)

    def put(self, *changed: Order) -> "State":
        """The state with these orders changed or added."""
        orders = list(self.orders)
        for order in map(tidy, changed):
            for index, one in enumerate(orders):
                if one.venue is order.venue and one.number == order.number:
                    orders[index] = order
                    break
            else:
                orders.append(order)
        return replace(self, orders=tuple(orders))

    def position(self, venue: Venue) -> int:
        """Contracts of the leg's own outcome held in truth; below zero is a short position."""
        return sum(
            order.executed if order.action is Action.BUY else -order.executed
            for order in self.of(venue)
            if not order.other
        )

    @property
    def opposite(self) -> int:
        """Contracts of Polymarket's other outcome held in truth."""
        return sum(order.executed for order in self.orders if order.other)

    def exposed(self, venue: Venue) -> int:
        """Contracts that depend on the answer: beside which none of the other outcome stands."""
        return self.position(venue) - (self.opposite if venue is Venue.POLYMARKET else 0)


@dataclass(frozen=True, slots=True)
class Rules:
    """How the venues are in this world. `window`: packets arrive while younger than this.
    `forgets`: an id that is closed may be used again; `frees`: one whose match failed may be."""

    window: int = QUARANTINE
    forgets: bool = False
    frees: bool = True
    crashes: int = 0


def start(rules: Rules) -> State:
    """Both entries are written down."""
    return State(tuple(tidy(Order(venue, 0)) for venue in Venue), rules.crashes)


def post(order: Order) -> Order:
    """Marked as sent, then the bytes leave."""
    return replace(order, known=Known.SENT, posts=order.posts + 1, packets=order.packets + 1)


def events(state: State, rules: Rules) -> Iterator[tuple[str, State]]:
    """What the network, the venues and time may do to a state."""
    for order in state.orders:
        for label, after in _events_of(order, rules):
            yield label, state.put(after)


@cache
def _events_of(order: Order, rules: Rules) -> tuple[tuple[str, Order], ...]:
    found = _order_events(order, rules)
    return tuple((f"{order.name}: {label}", tidy(after)) for label, after in found)


def _order_events(order: Order, rules: Rules) -> Iterator[tuple[str, Order]]:
    if order.packets:
        yield from _arrivals(replace(order, packets=order.packets - 1), rules)
    for index, one in enumerate(order.done):
        if one.state is FillState.PROVISIONAL:
            for state in (FillState.CONFIRMED, FillState.VOIDED):
                settled = list(order.done)
                settled[index] = replace(one, state=state)
                yield f"the match ends {state.value}", replace(order, done=tuple(settled))
    # Nobody waits for ever without asking: the last tick comes after a first read.
    asked = order.known is Known.SENT and (order.age < QUARANTINE or bool(order.misses))
    if order.age < max(OLDEST, rules.window) and (order.packets or asked):
        age = order.age + 1
        packets = order.packets if age < rules.window else 0
        yield "time passes", replace(order, age=age, packets=packets)


def _arrivals(order: Order, rules: Rules) -> Iterator[tuple[str, Order]]:
    """A packet reaches the matching engine; its answer is heard or lost."""
    taken = order.killed or any(one.live or not rules.frees for one in order.done)
    if taken and not rules.forgets:
        yield "a duplicate arrives and is dropped", order
        return
    provisional = order.venue is Venue.POLYMARKET
    state = FillState.PROVISIONAL if provisional else FillState.CONFIRMED
    filled = replace(order, done=(*order.done, Execution(order.age, state)))
    killed = replace(order, killed=True)
    if not order.known.definite:
        yield "fills", hear(filled, Known.FILLED)
        yield "is killed", hear(killed, Known.ABSENT)
    yield "fills, the answer is lost", filled
    yield "is killed, the answer is lost", killed


def hear(order: Order, answer: Known) -> Order:
    """The journal learns what the venue says of the order now."""
    if answer is Known.ABSENT:
        return replace(order, known=Known.ABSENT)
    return replace(order, known=Known.FILLED, fills=tuple(one.state for one in order.done))


def tidy(order: Order) -> Order:
    """The one object for this order, without what can matter no more: equal situations are one."""
    if order.known.definite and not order.packets:
        done = tuple(replace(one, age=0) for one in order.done)
        order = replace(order, age=OLDEST, misses=frozenset(), done=done)
    return _interned.setdefault(tuple(getattr(order, name) for name in _FIELDS), order)


_FIELDS = tuple(Order.__dataclass_fields__)
_interned: dict[tuple[object, ...], Order] = {}
