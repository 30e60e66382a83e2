"""What a message about one arbitrage is made of, read in one transaction."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from sqlmodel import Session

from domain.answers import ALONE
from domain.money import NO_SIZE, NO_USD, ZERO, Size, Usd
from domain.order import Fill, FillState, NotFilled, Purpose
from domain.payout import holdings, payout_by_outcome
from domain.venue import Action, Outcome, Venue
from store import alarms, arbitrages, lifecycle, views
from store.arbitrages import ArbitrageState
from store.states import Severity
from store.views import OrderTimes

BUYS = (Purpose.ENTRY, Purpose.COMPLETE)


@dataclass(frozen=True, slots=True)
class Dealt:
    """All fills of one direction at one venue, voided ones not counted: contracts, dollars
    without fees, fees."""

    size: Size = NO_SIZE
    notional: Usd = NO_USD
    fee: Usd = NO_USD

    @property
    def average(self) -> Decimal:
        """Dollars per contract without fees."""
        return self.notional / self.size if self.size else ZERO


@dataclass(frozen=True, slots=True)
class Cash:
    """What a venue said is in the account, and when it was asked."""

    amount: Usd
    as_of_ms: int


@dataclass(frozen=True, slots=True)
class Facts:
    """One arbitrage as the journal has it, when its orders left, the cash at both venues, and the
    dollars that a person moved to end it by his word (None: nobody did). `parted` says what one
    venue's fair price left of it, None where nothing is known to have come between the legs."""

    state: ArbitrageState
    times: Mapping[Venue, OrderTimes]
    cash: Mapping[Venue, Cash]
    by_hand: Usd | None = None
    parted: str | None = None

    def dealt(self, venue: Venue, action: Action) -> Dealt:
        """What was bought or sold of the leg's own outcome at the venue."""
        other = self.state.opposite_intents
        return _dealt(
            fill
            for fill in self.state.fills
            if (fill.venue, fill.action) == (venue, action) and fill.intent_id not in other
        )

    @property
    def opposite(self) -> Dealt:
        """What was bought of the other outcome, to neutralise what could not be sold."""
        other = self.state.opposite_intents
        return _dealt(fill for fill in self.state.fills if fill.intent_id in other)

    @property
    def fees(self) -> Usd:
        """Every fee so far, of purchases and sales."""
        dealt = (self.dealt(venue, action) for venue in Venue for action in Action)
        return Usd(sum((one.fee for one in dealt), start=self.opposite.fee))

    @property
    def outlay(self) -> Usd:
        """Spent with fees, less what sales brought after fees."""
        legs = (self.state.polymarket, self.state.kalshi)
        return Usd(sum((leg.paid - leg.received for leg in legs), start=NO_USD))

    @property
    def payouts(self) -> dict[Outcome, Usd]:
        """What is held pays, by answer."""
        plan = self.state.opportunity
        held = [
            one
            for venue in Venue
            for one in holdings(self.state.leg(venue), plan.leg(venue).instrument.outcome)
        ]
        return payout_by_outcome(tuple(held))

    @property
    def final(self) -> bool:
        """Whether no order is unknown and no fill may still be voided."""
        legs = (self.state.polymarket, self.state.kalshi)
        return all(leg.settled and not leg.unknown for leg in legs)

    def held(self, venue: Venue) -> Size:
        """Contracts held at the venue."""
        return self.state.leg(venue).held

    def voided(self, venue: Venue) -> Size:
        """Contracts that the venue matched and took back."""
        return Size(
            sum(
                (
                    fill.size
                    for fill in self.state.fills
                    if fill.venue is venue and fill.state is FillState.VOIDED
                ),
                start=NO_SIZE,
            )
        )

    def refusal(self, venue: Venue) -> NotFilled | None:
        """Why the newest purchase that failed at the venue did not fill."""
        answers = [
            one.answer
            for one in self.state.intents
            if one.order.venue is venue and one.order.purpose in BUYS
        ]
        refused = [answer for answer in answers if isinstance(answer, NotFilled)]
        return refused[-1] if refused else None


def read(session: Session, arb_id: str) -> Facts:
    """The facts of one arbitrage as this transaction sees them; raises NotJournaled."""
    state = arbitrages.load(session, arb_id)
    cash = {}
    for venue in Venue:
        balance = views.balance(session, venue, state.mode)
        if balance is not None:
            cash[venue] = Cash(balance.cash, balance.as_of_ms)
    by_hand = lifecycle.moved_by_hand(session, arb_id) if state.phase.ended else None
    return Facts(
        state, views.leg_times(session, arb_id), cash, by_hand, parted=_parted(session, arb_id)
    )


def _parted(session: Session, arb_id: str) -> str | None:
    found = alarms.opened(session, f"{ALONE}{arb_id}")
    return found.detail if found is not None and found.severity == Severity.RED else None


def _dealt(fills: Iterable[Fill]) -> Dealt:
    counted = [fill for fill in fills if fill.state is not FillState.VOIDED]
    return Dealt(
        Size(sum((fill.size for fill in counted), start=NO_SIZE)),
        Usd(sum((fill.notional for fill in counted), start=NO_USD)),
        Usd(sum((fill.fee for fill in counted), start=NO_USD)),
    )
