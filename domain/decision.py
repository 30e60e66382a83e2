"""The one function that decides what an arbitrage does next. No other code decides."""

from dataclasses import dataclass

from domain.exits import Exits
from domain.leg import LegState
from domain.money import ZERO, Price, Size, Usd
from domain.venue import Venue


@dataclass(frozen=True, slots=True)
class Reconcile:
    """Ask these venues until every order is definite and every fill that matters is final."""

    venues: tuple[Venue, ...]


@dataclass(frozen=True, slots=True)
class PriceExits:
    """Ask what both ways out of holding `excess` contracts on this leg alone cost now."""

    venue: Venue
    excess: Size


@dataclass(frozen=True, slots=True)
class Complete:
    """Buy what this leg lacks, fill-or-kill, at `limit` or better: cheaper than selling."""

    venue: Venue
    size: Size
    limit: Price


@dataclass(frozen=True, slots=True)
class Unwind:
    """Sell `excess` contracts of this leg, fill-or-kill."""

    venue: Venue
    excess: Size


@dataclass(frozen=True, slots=True)
class BuyOpposite:
    """Buy the other outcome of this leg's market, fill-or-kill, so that the answer to the question
    does not matter to `excess` contracts that could not be sold."""

    venue: Venue
    excess: Size


@dataclass(frozen=True, slots=True)
class Hold:
    """Both legs are equal, or neutral in themselves: wait for the question to be answered, an
    operator, or a void."""


@dataclass(frozen=True, slots=True)
class StandDown:
    """Nothing is held and nothing can still arrive."""


@dataclass(frozen=True, slots=True)
class Escalate:
    """A person is needed: this leg's excess could not be sold within its bounds."""

    venue: Venue
    excess: Size


ToGetEven = PriceExits | Complete | Unwind | BuyOpposite | Escalate
Decision = Reconcile | ToGetEven | Hold | StandDown


@dataclass(frozen=True, slots=True)
class Limits:
    """What is left to a trade: attempts to get even, the excess that is kept rather than sold
    (contracts), what getting even may lose (dollars; None: any price will do), and whether the
    other outcome may be bought once the attempts are used up."""

    attempts_left: int
    dust: Size
    budget: Usd | None
    buy_opposite: bool = False


def decide(
    polymarket: LegState,
    kalshi: LegState,
    limits: Limits,
    *,
    flatten: bool = False,
    exits: Exits | None = None,
) -> Decision:
    """The next step from what both legs hold. `flatten` asks for nothing to be held at all;
    `exits` are the prices of both ways out of an uneven pair, once they were asked for.

    An unknown order comes first: no leg is sold while the other may still turn out to be held.
    An excess is sold only when both legs' fills are final, since a provisional one may be
    voided; when all is to go, a leg waits for its own fills only. Polymarket goes first: its sale
    is the one more often refused, and a refusal then leaves the pair hedged. What cannot be sold
    there is neutralised, where that is allowed, before a person is asked; not where a person has
    asked for all to go. Neutral pairs are kept until they are paid.
    """
    legs = (polymarket, kalshi)
    unknown = tuple(leg.venue for leg in legs if leg.unknown)
    if unknown:
        return Reconcile(unknown)
    for leg in legs:
        if leg.held < ZERO:
            return Escalate(leg.venue, leg.held)
    unsettled = tuple(leg.venue for leg in legs if not leg.settled)
    excesses = {
        leg.venue: leg.held if flatten else excess_of(leg, sibling)
        for leg, sibling in (legs, legs[::-1])
    }
    uneven = tuple(venue for venue, excess in excesses.items() if excess > limits.dust)
    if not uneven:
        if any(max(leg.held, leg.neutral) > limits.dust for leg in legs):
            return Hold()
        return Reconcile(unsettled) if unsettled else StandDown()
    venue = uneven[0]
    awaited = tuple(v for v in unsettled if v is venue) if flatten else unsettled
    if awaited:
        return Reconcile(awaited)
    if limits.attempts_left <= 0:
        opposite = limits.buy_opposite and venue is Venue.POLYMARKET and not flatten
        return (BuyOpposite if opposite else Escalate)(venue, excesses[venue])
    if flatten:
        return Unwind(venue, excesses[venue])
    if exits is None:
        return PriceExits(venue, excesses[venue])
    if exits.completion is not None and exits.completes(limits.budget):
        return Complete(venue.sibling, exits.completion.size, exits.completion.limit)
    return Unwind(venue, excesses[venue])


def excess_of(leg: LegState, sibling: LegState) -> Size:
    """What `leg` holds beyond its sibling. Beside a sibling that has all that was planned, what a
    better price gave is none of it; all else is, such as a second purchase of the leg. Where the
    surplus is not known, all of it counts as such: as older histories were decided."""
    beyond = Size(max(leg.held - sibling.held, ZERO))
    if not sibling.held >= sibling.planned > ZERO:
        return beyond
    return Size(ZERO) if leg.surplus is None else Size(max(beyond - leg.surplus, ZERO))
