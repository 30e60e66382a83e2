"""What one leg really holds: a fold over its fills, never a counter."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from domain.money import NO_SIZE, NO_USD, ZERO, Price, Size, Usd
from domain.order import Fill, FillState
from domain.venue import Action, Venue


@dataclass(frozen=True, slots=True)
class LegState:
    """One leg as its fills tell it.

    `held` is what depends on the answer, provisional fills too: contracts of the leg's own outcome
    without those that one of the other outcome beside them makes `neutral`. `spare` are contracts
    of the other outcome beyond that: upside, never a hedge. `settled` says that no fill is
    provisional. `unknown` names the intents without a definite answer. `bought` counts the own
    outcome only; `paid` and `received` are all cash after fees, `paid_opposite` the part of `paid`
    that went for the other outcome. `surplus` is what better prices gave beyond the sizes that the
    orders asked for, None where nobody has counted it, as in what older executors wrote.
    """

    venue: Venue
    planned: Size
    held: Size = NO_SIZE
    bought: Size = NO_SIZE
    settled: bool = True
    unknown: tuple[str, ...] = ()
    paid: Usd = NO_USD
    received: Usd = NO_USD
    neutral: Size = NO_SIZE
    spare: Size = NO_SIZE
    paid_opposite: Usd = NO_USD
    surplus: Size | None = None

    @property
    def owned(self) -> Size:
        """Contracts of the leg's own outcome."""
        return Size(self.held + self.neutral)

    @property
    def opposite(self) -> Size:
        """Contracts of the other outcome."""
        return Size(self.neutral + self.spare)

    @property
    def average_price(self) -> Price | None:
        """Dollars per contract paid for what was bought, fees included; None before a fill."""
        return Price((self.paid - self.paid_opposite) / self.bought) if self.bought > ZERO else None

    @property
    def unwind_loss(self) -> Usd:
        """Dollars lost by what was sold or neutralised so far, fees of both ways in; negative for
        a gain. A neutral pair brings its dollar, what is spare nothing."""
        gone = self.bought - self.held
        cost = (self.average_price or ZERO) * gone + self.paid_opposite
        return Usd(cost - self.received - self.neutral)


def fold(
    venue: Venue,
    planned: Size,
    fills: Iterable[Fill],
    unknown: tuple[str, ...] = (),
    opposite: frozenset[str] = frozenset(),
    ordered: Mapping[str, Size] | None = None,
) -> LegState:
    """The leg that these fills make; voided ones count nothing. `opposite` names the intents that
    bought the other outcome, `ordered` what each intent asked for (contracts; None: not known)."""
    by_intent: dict[str, Decimal] = {}
    bought = sold = paid = received = other = paid_opposite = Decimal(0)
    settled = True
    for fill in fills:
        if fill.state is FillState.VOIDED:
            continue
        settled = settled and fill.state.final
        if fill.intent_id in opposite:
            assert fill.action is Action.BUY, f"{fill.intent_id} sold the other outcome"
            other += fill.size
            paid_opposite += fill.notional + fill.fee
        elif fill.action is Action.BUY:
            bought += fill.size
            by_intent[fill.intent_id] = by_intent.get(fill.intent_id, ZERO) + fill.size
            paid += fill.notional + fill.fee
        else:
            sold += fill.size
            received += fill.notional - fill.fee
    owned = bought - sold
    neutral = min(max(owned, ZERO), other)
    return LegState(
        venue=venue,
        planned=planned,
        held=Size(owned - neutral),
        bought=Size(bought),
        settled=settled,
        unknown=unknown,
        paid=Usd(paid + paid_opposite),
        received=Usd(received),
        neutral=Size(neutral),
        spare=Size(other - neutral),
        paid_opposite=Usd(paid_opposite),
        surplus=None if ordered is None else _surplus(by_intent, ordered),
    )


def _surplus(bought: Mapping[str, Decimal], ordered: Mapping[str, Size]) -> Size:
    """What the orders bought beyond their own sizes: dollars that are spent whole at a better
    price. A leg that was bought twice has no more of it than one that was bought once."""
    beyond = (max(size - ordered[name], ZERO) for name, size in bought.items())
    return Size(sum(beyond, start=ZERO))
