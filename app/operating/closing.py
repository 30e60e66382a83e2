"""Selling what is open: previews in numbers, then the same update that a click sends."""

import asyncio
import time
from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType

from api import operations, sales
from api.operations import Operation
from api.problems import Problem
from api.steering import FLATTENS
from api.wire import Json, usd
from app.errors import UsageError
from app.links import wall_ms
from app.operating.office import arbitrage
from app.operating.outputs import ClosePreview
from app.operating.staff import Office, caller, refusal
from domain.money import NotMoney, Price, price
from domain.trade import Phase
from domain.venue import Venue
from store.arbitrages import ArbitrageState

LOOK_SECONDS = 0.3
Limits = Mapping[Venue, Price]
NO_LIMITS: Limits = MappingProxyType({})


async def preview(office: Office, name: str, limits: Limits = NO_LIMITS) -> ClosePreview:
    """What closing this one would bring, and which limit stands against it."""
    state = await arbitrage(office.journal, name, office.config)
    return await _preview(office, state, limits)


async def preview_all(office: Office) -> list[ClosePreview]:
    """What closing everything that is open would bring."""
    mode = office.config.mode
    return [
        await _preview(office, await office.journal.arbitrage(one.arb_id))
        for one in await office.journal.unfinished()
        if one.phase in FLATTENS and one.mode is mode
    ]


async def _preview(
    office: Office, state: ArbitrageState, limits: Limits = NO_LIMITS
) -> ClosePreview:
    known = await office.live.known(state.arb_id, ask=True)
    if known.phase.ended:
        why = f"{known.phase}: there is nothing to close"
        told: Json = {"result": None, "hold_at_least": None, "why_not": why}
        told |= {"unpriced": [], "unpriced_why": ""}
    else:
        told = sales.close_preview(known)
        told["why_not"] = told["why_not"] or sales.short_of(known, limits)
    return ClosePreview(
        id=state.arb_id,
        title=state.opportunity.title,
        result=told["result"],
        hold_at_least=told["hold_at_least"],
        why_not=told["why_not"],
        unpriced=told["unpriced"],
        unpriced_why=told["unpriced_why"],
    )


async def close(
    office: Office, arb_id: str, loss_max: str | None, limits: Limits = NO_LIMITS
) -> Operation:
    """Have the workflow sell both legs; returns once it has accepted."""
    return await office.steering.close(arb_id, loss_max, caller(), wall_ms(), limits=limits)


def limits_of(given: list[str]) -> dict[Venue, Price]:
    """`0.47` bounds both venues, `kalshi=0.47` one of them. UsageError says what was expected."""
    found: dict[Venue, Price] = {}
    for one in given:
        name, _, amount = one.rpartition("=")
        try:
            venues = [Venue(name)] if "=" in one else list(Venue)
            limit = price(amount)
        except (ValueError, NotMoney) as wrong:
            raise UsageError(
                f"--limit: expected PRICE or VENUE=PRICE, as in kalshi=0.47, found {one!r}: {wrong}"
            ) from None
        found |= dict.fromkeys(venues, limit)
    return found


async def flatten(office: Office) -> list[Json]:
    """Close everything, at any price; what refuses is told beside the rest."""
    return await office.steering.flatten(caller(), wall_ms())


async def outcome(office: Office, operation: Operation, seconds: float) -> Json:
    """What came of an accepted close within this time: pending, succeeded or failed."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            told = await operations.look(office.client, operation)
        except Problem as problem:
            raise refusal(problem) from None
        if told["state"] != "pending" or time.monotonic() > deadline:
            return told
        await asyncio.sleep(LOOK_SECONDS)


def operation_of(told: Json) -> Operation:
    """The operation that an accepted close named."""
    return Operation.parse(str(told["id"]))


def needs_person(told: Json) -> bool:
    """Whether a close came back without an end: somebody has to look."""
    result = told.get("result") or {}
    return result.get("phase") == Phase.NEEDS_OPERATOR.value


def sum_of(previews: list[ClosePreview]) -> str | None:
    """What all of them bring together; None where one cannot be said."""
    results = [one.result for one in previews]
    if any(one is None for one in results):
        return None
    return usd(sum((Decimal(one) for one in results if one is not None), start=Decimal(0)))
