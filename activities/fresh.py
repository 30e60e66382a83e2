"""What others may have changed since the entry: a market's rules, and what the account holds."""

import asyncio
import logging

from activities.messages import CompleteRequest, UnwindRequest
from domain.identity import ORDERS_PER_LIFE
from domain.order import Purpose
from domain.venue import Instrument
from venues.port import Untradable, VenueMisuse, VenuePort, VenueUnreachable

log = logging.getLogger(__name__)

RULES_SECONDS = 2
"""How long a sale waits for the rules of today, beside the reads that it needs."""


def may_have_changed(request: UnwindRequest | CompleteRequest) -> bool:
    """Whether so much time may have passed since the entry that a person has sold or bought by
    hand, or that the market has other rules: once somebody was called, once a workflow was lost,
    and where all is to go. A sale that follows its entry is seconds away from it."""
    closing = isinstance(request, UnwindRequest) and request.purpose is Purpose.CLOSE
    return closing or request.person_called or request.sequence >= ORDERS_PER_LIFE


async def rules_now(venue: VenuePort, known: Instrument) -> Instrument:
    """The instrument with the tick, fee and shard of today. Those of the entry where today's
    cannot be had: they never hold up an order, and the venue judges it anyway."""
    try:
        async with asyncio.timeout(RULES_SECONDS):
            found = await venue.instrument(known.market, known.outcome)
    except (VenueUnreachable, VenueMisuse, TimeoutError) as trouble:
        why = str(trouble) or f"no answer within {RULES_SECONDS} s"
        log.info("%s %s: today's rules are not known: %s", known.venue, known.market, why)
        return known
    return known if isinstance(found, Untradable) else found
