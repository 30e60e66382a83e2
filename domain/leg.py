"""What one leg really holds: a fold over its fills, never a counter."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from domain.money import NO_SIZE, NO_USD, ZERO, Price, Size, Usd
from domain.order import Fill, FillState
from domain.venue import Action, Venue


@dataclass(frozen=True, slots=True)
class LegState:
    """One leg as its fills tell it.

    `held` counts provisional fills too; `settled` says that none is left. `unknown` names the
    intents without a definite answer. `paid` and `received` are cash after fees.
    """

    venue: Venue
    planned: Size
    held: Size = NO_SIZE
    bought: Size = NO_SIZE
    settled: bool = True
    unknown: tuple[str, ...] = ()
    paid: Usd = NO_USD
    received: Usd = NO_USD

    @property
    def average_price(self) -> Price | None:
        """Dollars per contract paid for what was bought, fees included; None before a fill."""
        return Price(self.paid / self.bought) if self.bought > ZERO else None

    @property
    def sale_loss(self) -> Usd:
        """Dollars lost by what was sold so far, fees of both ways in; negative for a gain."""
        sold = self.bought - self.held
        return Usd((self.average_price or ZERO) * sold - self.received)


def fold(
    venue: Venue, planned: Size, fills: Iterable[Fill], unknown: tuple[str, ...] = ()
) -> LegState:
    """The leg that these fills make; voided ones count nothing."""
    bought = sold = paid = received = Decimal(0)
    settled = True
    for fill in fills:
        if fill.state is FillState.VOIDED:
            continue
        settled = settled and fill.state.final
        if fill.action is Action.BUY:
            bought += fill.size
            paid += fill.notional + fill.fee
        else:
            sold += fill.size
            received += fill.notional - fill.fee
    return LegState(
        venue=venue,
        planned=planned,
        held=Size(bought - sold),
        bought=Size(bought),
        settled=settled,
        unknown=unknown,
        paid=Usd(paid),
        received=Usd(received),
    )
