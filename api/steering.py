"""What a person may have done to one running arbitrage: asked of its workflow, and of nobody else.

The audit row is written before the workflow is asked, so that no effect can be without one; what
the workflow then refuses gets a second row that says so.
"""

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from uuid import uuid4

from temporalio.client import Client

from api import operations, sales
from api.auth import Caller
from api.live import Live
from api.operations import Operation, Request
from api.problems import Problem
from api.wire import Json, usd
from domain.money import ZERO, NotMoney, Price, Usd, price, to_micro
from domain.money import usd as exact_usd
from domain.trade import Phase
from domain.venue import Venue
from store.arbitrages import Unfinished
from store.errors import NotJournaled
from store.failpoints import Point, hit
from store.journal import Journal
from workflows import names
from workflows.snapshot import CloseRequest, HoldRequest, MarkResolved, RetryRequest

FLATTENS = frozenset(Phase) - {Phase.RESERVING, Phase.SETTLING, Phase.REFUSED}
EVIDENCE_MAX = 2_000


@dataclass(frozen=True, slots=True)
class Steering:
    """Every method raises Problem for what is refused; then nothing was changed unless it says
    so. `key` is the Idempotency-Key: the same key is the same word to the workflow."""

    journal: Journal
    client: Client
    live: Live

    async def close(
        self,
        arb_id: str,
        loss_max: object,
        caller: Caller,
        now_ms: int,
        key: str | None = None,
        limits: Mapping[Venue, Price] = MappingProxyType({}),
    ) -> Operation:
        """Have the workflow sell both legs, losing at most `loss_max` dollars (None: any) and none
        of them below its venue's limit."""
        bound = None if loss_max is None else _amount("loss_max", loss_max, least=ZERO)
        detail: Json = {"loss_max": None if bound is None else str(bound)}
        if limits:
            detail["limits"] = {venue.value: str(limit) for venue, limit in limits.items()}
            await self._need_bids(arb_id, limits)
        request = CloseRequest(_named(caller), bound, dict(limits))
        return await self._ask(arb_id, "close_position", request, caller, now_ms, key, detail)

    async def retry(
        self, arb_id: str, caller: Caller, now_ms: int, key: str | None = None
    ) -> Operation:
        """Have the workflow try its unwind again now, with a fresh set of attempts."""
        request = RetryRequest(_named(caller))
        return await self._ask(arb_id, "retry_unwind", request, caller, now_ms, key, {})

    async def hold(
        self, arb_id: str, caller: Caller, now_ms: int, key: str | None = None
    ) -> Operation:
        """Have the workflow keep an uneven pair as it is until the question resolves."""
        request = HoldRequest(_named(caller))
        return await self._ask(arb_id, "hold", request, caller, now_ms, key, {})

    async def take_over(
        self, arb_id: str, caller: Caller, now_ms: int, key: str | None = None
    ) -> Operation:
        """Have the workflow sell nothing more: the person sells at the venue, and says so with
        `mark_resolved`."""
        request = HoldRequest(f"{_named(caller)}, who takes over")
        return await self._ask(arb_id, "take_over", request, caller, now_ms, key, {})

    async def mark_resolved(
        self,
        arb_id: str,
        evidence: str,
        cash: object,
        caller: Caller,
        now_ms: int,
        key: str | None = None,
    ) -> Operation:
        """Have the workflow end on a person's word: `evidence` says what was done and where it
        can be seen, `cash` what it brought (dollars, negative where it cost)."""
        said = evidence.strip()
        if not 1 <= len(said) <= EVIDENCE_MAX:
            message = (
                f"expected what was done and where it can be seen, at most {EVIDENCE_MAX} letters"
            )
            errors = [{"field": "evidence", "message": message}]
            raise Problem(422, "invalid", f"evidence: {message}", errors=errors)
        brought = _amount("cash", cash)
        detail: Json = {"evidence": said, "cash": str(brought)}
        request = MarkResolved(_named(caller), said, brought)
        return await self._ask(arb_id, "mark_resolved", request, caller, now_ms, key, detail)

    async def flatten(self, caller: Caller, now_ms: int, key: str | None = None) -> list[Json]:
        """Close everything that is open, at any price; what refuses is told beside the rest."""
        open_now = [one.arb_id for one in await self._mine() if one.phase in FLATTENS]

        async def close(arb_id: str) -> Json:
            try:
                operation = await self.close(arb_id, None, caller, now_ms, key)
            except Problem as problem:
                return {"arb_id": arb_id, "state": "failed", "detail": problem.detail}
            return operation.told("pending", "accepted by the workflow")

        return list(await asyncio.gather(*(close(arb_id) for arb_id in open_now)))

    async def flatten_preview(self) -> Json:
        """What selling everything now would bring."""
        proceeds = result = held = ZERO
        number = 0
        for one in await self._mine():
            known = await self.live.known(one.arb_id)
            if known.phase not in FLATTENS:
                continue
            number += 1
            now = sales.close_now(known)
            if now is None:
                why = sales.why_no_figure(known)
                raise Problem(409, "no_preview", f"{one.title}: {why}")
            result += now
            proceeds += now + known.outlay
            held += min(known.payouts.values()) - known.outlay
        return {
            "positions": number,
            "proceeds": usd(proceeds),
            "result": usd(result),
            "hold_at_least": usd(held),
        }

    async def _mine(self) -> list[Unfinished]:
        """What is open in this mode: a journal may be told to hold those of several."""
        return [one for one in await self.journal.unfinished() if one.mode is self.live.mode]

    async def _ask(
        self,
        arb_id: str,
        action: str,
        request: Request,
        caller: Caller,
        now_ms: int,
        key: str | None,
        detail: Json,
    ) -> Operation:
        title, carrier = await self._carrier(arb_id)
        operation = _operation(carrier, action, key)
        act = caller.act(now_ms)
        detail = {"title": title, **detail, "operation": operation.id}
        await self.journal.audit(act, action, arb_id, detail)
        hit(Point.CLOSE, "asked", action)
        try:
            await operations.start(self.client, operation, WORDS[action], request)
        except Problem as problem:
            if problem.status < 500:
                why = {"title": title, "reason": problem.detail}
                await self.journal.audit(act, f"{action}_refused", arb_id, why)
            raise
        hit(Point.CLOSE, "accepted", action)
        self.live.poke()
        return operation

    async def _need_bids(self, arb_id: str, limits: Mapping[Venue, Price]) -> None:
        """Problem 409 where the bids seen last do not pay a limit: the other leg would be sold,
        and this one wait for a person."""
        await self._carrier(arb_id)
        short = sales.short_of(await self.live.known(arb_id, ask=True), limits)
        if short:
            raise Problem(409, "below_limit", short)

    async def _carrier(self, arb_id: str) -> tuple[str, str]:
        """Title and workflow of an open arbitrage; Problem where it is not open."""
        try:
            state = await self.journal.arbitrage(arb_id)
        except NotJournaled:
            message = f"expected an open position, found no {arb_id[:80]!r}"
            errors = [{"field": "position_id", "message": message}]
            raise Problem(404, "not_found", message, errors=errors) from None
        if state.phase.ended:
            raise Problem(409, "not_open", f"{arb_id} is {state.phase}: there is nothing to do")
        need_executor(self.live)
        return state.opportunity.title, names.workflow_id(arb_id, state.adopted)


WORDS = {
    "close_position": names.CLOSE_POSITION,
    "retry_unwind": names.RETRY_UNWIND,
    "hold": names.HOLD,
    "take_over": names.HOLD,
    "mark_resolved": names.MARK_RESOLVED,
}
"""The update of the workflow that carries out each action of the audit trail."""


def need_executor(live: Live) -> None:
    """Problem 503 while no executor lives: nobody would carry the word out."""
    if not live.alive:
        raise Problem(
            503,
            "executor_down",
            "The executor is not running: nothing was changed. Start it with "
            "`lockstep run executor`.",
        )


def sale_limits(given: Mapping[str, object]) -> dict[Venue, Price]:
    """The lowest prices of a sale (dollars per contract) by venue; None is no limit. Problem 422
    names every field that cannot be."""
    found: dict[Venue, Price] = {}
    errors: list[Json] = []
    for name, value in given.items():
        if name not in {venue.value for venue in Venue}:
            expected = " or ".join(venue.value for venue in Venue)
            errors.append({"field": f"limits.{name[:40]}", "message": f"expected {expected}"})
        elif value is not None:
            try:
                found[Venue(name)] = limit = price(value)  # type: ignore[arg-type]
                to_micro(limit)
            except NotMoney as wrong:
                errors.append({"field": f"limits.{name}", "message": str(wrong)})
    if errors:
        detail = "; ".join(f"{one['field']}: {one['message']}" for one in errors)
        raise Problem(422, "invalid", detail, errors=errors)
    return found


def _named(caller: Caller) -> str:
    return f"{caller.actor} ({caller.origin})"


def _amount(field: str, value: object, least: Decimal | None = None) -> Usd:
    """Exact dollars; Problem 422 names the field."""
    message = ""
    try:
        if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
            raise NotMoney(f"expected an amount, found {type(value).__name__}")
        amount = exact_usd(value)
        to_micro(amount)
        if least is None or amount >= least:
            return amount
        message = f"expected {least} or more, found {amount}"
    except NotMoney as error:
        message = str(error)
    errors = [{"field": field, "message": message}]
    raise Problem(422, "invalid", f"{field}: {message}", errors=errors)


def _operation(workflow_id: str, action: str, key: str | None) -> Operation:
    """The same key names the same update, so that Temporal itself does it once."""
    seed = f"{workflow_id}/{key}" if key else uuid4().hex
    verb = action.partition("_")[0]
    return Operation(workflow_id, f"{verb}-{hashlib.sha256(seed.encode()).hexdigest()[:24]}")
