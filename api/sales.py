"""What selling now would bring, by the bids seen last, and the preview of a close."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from api.known import Known
from api.wire import Json, iso, text, usd, utc_clock
from domain.money import ZERO, Price, Size, Usd, floor_to
from domain.policy import DUST
from domain.trade import Phase
from domain.venue import Venue

PRICE_STEP = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class SaleNow:
    """Selling a size into the bids seen last: dollars after fees."""

    size: Size
    average: Price
    worst: Price
    slippage: Usd
    fee: Usd
    proceeds: Usd


def sale_now(known: Known, venue: Venue, size: Size) -> SaleNow | None:
    """What selling would bring now; None where the bids seen last do not hold the size."""
    instrument = known.instrument(venue)
    levels = known.bids.levels.get(instrument.token, ())
    left, notional, worst = Decimal(size), ZERO, Decimal(ZERO)
    for price, offered in levels:
        taken = min(left, offered)
        notional += taken * price
        worst = price if taken > ZERO else worst
        left -= taken
    if left > ZERO or size <= ZERO:
        return None
    average = Price(notional / size)
    fee = instrument.fee.bound_sell(size, average)
    slippage = Usd(levels[0][0] * size - notional)
    return SaleNow(size, average, Price(worst), slippage, fee, Usd(notional - fee))


def close_preview(known: Known) -> Json:
    """What selling both legs now would bring, against holding them. `why_not` forbids it. Where the
    bids seen last do not hold what a venue holds, or are too old, `unpriced` names it and
    `unpriced_why` says so, and `result` and `loss_max` are None: it may be sold, and nobody can say
    what that brings."""
    sales = {venue: sale_now(known, venue, known.leg(venue).held) for venue in Venue}
    result = close_now(known)
    return {
        **books(known, known.holding),
        "result": None if result is None else usd(result),
        "hold_at_least": usd(Usd(min(known.payouts.values()) - known.outlay)),
        "hold_until": iso(known.settles_ms),
        "loss_max": None if result is None else usd(max(-result, ZERO)),
        "why_not": why_not_close(known),
        "unpriced": [venue.value for venue in _unpriced(known)],
        "unpriced_why": why_no_figure(known),
        "legs": {
            venue.value: {
                "outcome": known.instrument(venue).outcome.upper(),
                "size": text(known.leg(venue).held),
                "average_price": text(floor_to(sale.average, PRICE_STEP)) if sale else None,
                "worst_price": text(sale.worst) if sale else None,
                "slippage": usd(sale.slippage) if sale else None,
                "fee": usd(sale.fee) if sale else None,
                "proceeds": usd(floor_to(sale.proceeds, PRICE_STEP)) if sale else None,
            }
            for venue, sale in sales.items()
        },
    }


def books(known: Known, venues: Iterable[Venue]) -> Json:
    """When the oldest of the books that these legs would be sold by was last known to be true
    (null where one was never seen), and whether one is too old for a figure of now."""
    tokens = [known.instrument(venue).token for venue in venues]
    times = [known.bids.true_ms.get(token) for token in tokens]
    seen = [at_ms for at_ms in times if at_ms is not None]
    whole = bool(seen) and len(seen) == len(times)
    return {
        "book_at": iso(min(seen)) if whole else None,
        "book_stale": any(known.bids.old(token) for token in tokens),
    }


def why_no_figure(known: Known) -> str:
    """Why it cannot be said what selling everything brings now; "" where it can."""
    said: list[str] = []
    thin: list[str] = []
    for venue in _unpriced(known):
        stale = _why_stale(known, venue)
        (said if stale else thin).append(stale or venue.value)
    if thin:
        said.append(f"The bids seen last at {' and '.join(thin)} do not hold the position")
    return "; ".join(said)


def _why_stale(known: Known, venue: Venue) -> str:
    """Since when no book of the venue is fresh; "" where it is, or none was seen."""
    token = known.instrument(venue).token
    if not known.bids.old(token):
        return ""
    return f"No fresh book of {venue} since {utc_clock(known.bids.true_ms[token])}"


def _unpriced(known: Known) -> list[Venue]:
    """Where something is held of which nobody can say what it brings."""
    return [v for v in known.holding if sale_now(known, v, known.leg(v).held) is None]


def why_not_close(known: Known) -> str:
    """Why the position cannot be closed now; "" where it can."""
    if known.phase.ended or known.phase is Phase.SETTLING:
        return f"{known.phase}: there is nothing to close"
    if any(known.leg(venue).unknown for venue in Venue):
        return "A leg is unknown: its venue is being asked first"
    if not all(known.leg(venue).settled for venue in Venue):
        return "A leg is matched and not settled yet"
    legs = [known.leg(venue) for venue in Venue]
    if any(leg.neutral > ZERO for leg in legs) and all(leg.held <= DUST for leg in legs):
        return "Only neutral pairs are held: they pay a dollar each, there is nothing to sell"
    return ""


def short_of(known: Known, limits: Mapping[Venue, Price]) -> str:
    """Which venue's last contract would sell below its limit, by the bids seen last, or at which
    nobody knows; "" if none."""
    for venue, limit in limits.items():
        if stale := _why_stale(known, venue):
            return f"Nobody knows what pays the limit. {stale}: wait for one, or give no limit"
        sale = sale_now(known, venue, known.leg(venue).held)
        if sale is not None and sale.worst < limit:
            return (
                f"{venue} pays {text(sale.worst)} for the last contract, below the limit of "
                f"{text(limit)}: wait, or give a lower limit"
            )
    return ""


def close_now(known: Known) -> Usd | None:
    """Proceeds of selling all that is held and the dollars of neutral pairs, which are kept, less
    the outlay; None where it cannot be said."""
    total = Decimal(-known.outlay)
    for venue in Venue:
        held = known.leg(venue).held
        total += known.leg(venue).neutral
        if held <= ZERO:
            continue
        sale = sale_now(known, venue, held)
        if sale is None:
            return None
        total += sale.proceeds
    return Usd(floor_to(total, PRICE_STEP))
