"""What a person may say about a leg that nothing hedges, besides selling it: keep it, sell it by
hand, or say that it was dealt with. The words are those that the unhedged panel sends."""

import asyncio
import time
from collections.abc import Callable
from decimal import Decimal

from api.known import Known
from api.naked import actions, kept_uneven, naked
from api.operations import Operation
from api.wire import usd
from app.errors import GuardError
from app.links import wall_ms
from app.operating import closing
from app.operating.office import arbitrage
from app.operating.output import Json
from app.operating.outputs import Kept, Naked
from app.operating.staff import Office, caller

ANSWER_SECONDS = 20
LOOK_SECONDS = 0.2
KEEPS = "nothing more is sold; the leg is kept until the question resolves, whatever it pays"
MEANINGS = {
    "hold": f"{KEEPS}. `lockstep close ID` sells it after all",
    "take-over": (
        "nothing more is sold here: you sell at the venue, then say so with "
        "`lockstep mark-resolved ID`"
    ),
}
ALLOWED_BY = {"hold": "hold", "take-over": "take_over", "mark-resolved": "mark_resolved"}
"""The name under which the page lists what may be asked."""


async def preview(office: Office, name: str, action: str, cash: Decimal | None = None) -> Kept:
    """What the word would mean. Changes nothing; `why_not` says why it would be refused."""
    state = await arbitrage(office.journal, name, office.config)
    known = await office.live.known(state.arb_id, ask=True)
    allowed = actions(known)[ALLOWED_BY[action]]
    meaning = MEANINGS.get(action) or _resolved(known, cash)
    return Kept(
        action=action,
        id=state.arb_id,
        title=state.opportunity.title,
        phase=known.phase.value,
        meaning=meaning.replace("ID", state.arb_id),
        why_not="" if allowed is True else str(allowed),
        leg=_leg(known),
        state="preview",
        result=None,
    )


def refuse_the_impossible(told: Kept) -> None:
    """GuardError with what forbids it."""
    if told.why_not:
        raise GuardError(f"{told.id}: {told.why_not}")


async def keep(office: Office, told: Kept) -> Kept:
    """Have the workflow keep the pair as it is, for good or until the person has sold by hand."""
    word = office.steering.hold if told.action == "hold" else office.steering.take_over
    accepted = await word(told.id, caller(), wall_ms())
    return await _carried_out(office, told, accepted, kept_uneven)


async def mark_resolved(office: Office, told: Kept, evidence: str, cash: str) -> Kept:
    """Have the workflow end on a person's word."""
    accepted = await office.steering.mark_resolved(told.id, evidence, cash, caller(), wall_ms())
    return await _carried_out(office, told, accepted, lambda known: known.phase.ended)


async def _carried_out(
    office: Office, told: Kept, accepted: Operation, holds: Callable[[Known], bool]
) -> Kept:
    """Once the workflow has done what it accepted, or as far as it is by then."""
    deadline = time.monotonic() + ANSWER_SECONDS
    result: Json = await closing.outcome(office, accepted, ANSWER_SECONDS)
    known = await office.live.known(told.id, ask=True)
    while result["state"] == "succeeded" and not holds(known):
        if time.monotonic() > deadline:
            result = {**result, "state": "pending"}
        await asyncio.sleep(LOOK_SECONDS)
        known = await office.live.known(told.id, ask=True)
    changes = {"state": result["state"], "phase": known.phase.value, "result": result}
    return told.model_copy(update=changes)


def _resolved(known: Known, cash: Decimal | None) -> str:
    """What is booked on the person's word."""
    flow = Decimal(-known.outlay)
    ends = "" if cash is None else f"; with {usd(cash)} it ends at {usd(flow + cash)}"
    return f"it ends on your word, for ever: {usd(flow)} so far{ends}"


def _leg(known: Known) -> Naked | None:
    """The leg that nothing hedges; None where both are equal."""
    told = naked(known)
    if told is None:
        return None
    return Naked(**{name: told[name] for name in Naked.model_fields})
