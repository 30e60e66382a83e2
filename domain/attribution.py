"""Where a result comes from: gross edge − fees − slippage − unwind = what was realised, exactly.

Every cent of a trade is in one of these parts, so their sum is checked against the journal's own
result wherever it is shown.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from domain.leg import fold
from domain.money import NO_USD, Usd, cost_ceil, proceeds_floor
from domain.opportunity import Opportunity
from domain.order import Fill, FillState
from domain.venue import Action, Venue


@dataclass(frozen=True, slots=True)
class Attribution:
    """Dollars. `gross_edge`: what the contracts that were kept pay, less the best asks seen.
    `fees`: of purchases, by venue. `slippage`: paid above those asks, by venue (negative where a
    fill was better). `unwind`: what was lost by contracts that were sold again, at those asks,
    with the fees of the sales; one that was neutralised counts as sold for a dollar less what its
    opposite cost. Cash that a person moved by hand counts against it.
    """

    gross_edge: Usd
    fees: Mapping[Venue, Usd]
    slippage: Mapping[Venue, Usd]
    unwind: Usd

    @property
    def net(self) -> Usd:
        """The result that the parts make."""
        costs = sum(self.fees.values(), start=NO_USD) + sum(self.slippage.values(), start=NO_USD)
        return Usd(self.gross_edge - costs - self.unwind)


def attribute(
    plan: Opportunity,
    fills: Iterable[Fill],
    payout: Usd,
    by_hand: Usd = NO_USD,
    opposite: frozenset[str] = frozenset(),
) -> Attribution:
    """Split the result of these fills. `payout` is what the contracts that were kept paid, or
    the least they will pay; `by_hand` is cash that a person moved outside of our orders;
    `opposite` names the orders that bought the other outcome."""
    counted = [fill for fill in fills if fill.state is not FillState.VOIDED]
    edge, unwind = Decimal(payout), Decimal(-by_hand)
    fees, slippage = {}, {}
    for venue in Venue:
        best = plan.leg(venue).best
        here = [fill for fill in counted if fill.venue is venue]
        leg = fold(venue, plan.size, here, opposite=opposite)
        own = [fill for fill in here if fill.intent_id not in opposite]
        bought = [fill for fill in own if fill.action is Action.BUY]
        sold = [fill for fill in own if fill.action is Action.SELL]
        sizes = sum((fill.size for fill in bought), start=Decimal(0))
        gone = sum((fill.size for fill in sold), start=Decimal(leg.neutral))
        fees[venue] = Usd(sum((fill.fee for fill in bought), start=NO_USD))
        paid = sum((fill.notional for fill in bought), start=Decimal(0))
        dollars = leg.neutral - leg.paid_opposite
        proceeds = sum((fill.notional - fill.fee for fill in sold), start=Decimal(dollars))
        # Both references are whole micro-dollars, so that every part can be written down exactly.
        fair_cost, fair_proceeds = cost_ceil(sizes * best), proceeds_floor(gone * best)
        slippage[venue] = Usd(paid - fair_cost)
        edge -= fair_cost - fair_proceeds + leg.neutral
        unwind += fair_proceeds - proceeds
    return Attribution(Usd(edge), fees, slippage, Usd(unwind))
