"""Everything that a person may have done, by page, socket or script: one way, one audit trail.

Commands reach trades only as workflow updates, entries only as settings and the run state.
"""

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any
from uuid import uuid4

from temporalio.client import Client

from api import operations, sales, slices
from api.auth import Caller
from api.live import Live
from api.operations import Operation
from api.problems import Problem
from api.wire import Json, usd
from domain.money import ZERO, NotMoney, Usd
from domain.money import usd as exact_usd
from domain.policy import ExecutorSettings
from domain.trade import Phase
from domain.venue import Mode
from store import run_state, settings
from store.credentials import Scope
from store.errors import InvalidSettings, NotJournaled, SettingsConflict
from store.journal import Journal
from store.settings import Changes, SavedSettings
from workflows import names

SAVES = 3
FLATTENS = frozenset(Phase) - {Phase.RESERVING, Phase.SETTLING, Phase.REFUSED}


@dataclass(frozen=True, slots=True)
class Commands:
    """One API process's arm. Every method raises Problem for what is refused; then nothing was
    changed unless it says so."""

    journal: Journal
    client: Client
    mode: Mode
    live: Live

    async def set_enabled(
        self, value: bool, caller: Caller, confirm: str | None, now_ms: int
    ) -> Json:
        """Enable or disable entries. Enabling needs an executor, and in live money the word LIVE
        and the scope admin. Returns the data of status_changed once it holds."""
        if value:
            self._may_enable(caller, confirm)
        await self._save({"enabled": value}, None, caller, now_ms)
        return await self._switched(fenced=not value)

    async def save(
        self, changes: Mapping[str, object], expected: int | None, caller: Caller, now_ms: int
    ) -> SavedSettings:
        """Save some settings as the version after `expected` (None: whatever is the newest)."""
        if changes.get("enabled") is True:
            self._may_enable(caller, None)
        saved = await self._save(changes, expected, caller, now_ms)
        await self._switched(fenced=changes.get("enabled") is False)
        return saved

    async def revert(
        self, version: int, expected: int | None, caller: Caller, now_ms: int
    ) -> SavedSettings:
        """Save the values of an older version as a new one; `enabled` stays."""
        manager = self.journal.settings
        current = await manager.load()
        try:
            saved = await manager.revert(version, expected or current.version, caller.act(now_ms))
        except SettingsConflict as conflict:
            raise await self._conflict(conflict) from None
        except NotJournaled as missing:
            errors = [{"field": "version", "message": str(missing)}]
            raise Problem(404, "not_found", str(missing), errors=errors) from None
        self.live.poke()
        return saved

    async def kill(self, reason: str, caller: Caller, now_ms: int) -> Json:
        """Stop every entry at the last gate, until a person resumes. Closes nothing."""
        await self.journal.halt(reason, caller.act(now_ms))
        told = await self._switched(fenced=True)
        number = len(self.live.queries.tracked)
        return told | {
            "text": f"Halted: no new entry leaves. {number} open positions stay open, running "
            "compensation finishes. Resume when you are sure."
        }

    async def resume(self, caller: Caller, now_ms: int) -> Json:
        """Release the halt; trading is then enabled or not, as it was."""
        caller.need(Scope.ADMIN)
        await self.journal.resume(caller.act(now_ms))
        return await self._switched(fenced=False)

    async def close(
        self, arb_id: str, loss_max: object, caller: Caller, now_ms: int, key: str | None = None
    ) -> Operation:
        """Have the workflow sell both legs, losing at most `loss_max` dollars (None: any)."""
        bound = _loss_max(loss_max)
        operation = _operation(await self._carrier(arb_id), "close", key)
        act = caller.act(now_ms)
        await operations.close(self.client, operation, f"{caller.actor} ({caller.origin})", bound)
        detail = {"loss_max": None if bound is None else str(bound), "operation": operation.id}
        await self.journal.audit(act, "close_position", arb_id, detail)
        self.live.poke()
        return operation

    async def retry(
        self, arb_id: str, caller: Caller, now_ms: int, key: str | None = None
    ) -> Operation:
        """Have the workflow try its unwind again now, with a fresh set of attempts."""
        operation = _operation(await self._carrier(arb_id), "retry", key)
        await operations.retry(self.client, operation, f"{caller.actor} ({caller.origin})")
        detail = {"operation": operation.id}
        await self.journal.audit(caller.act(now_ms), "retry_unwind", arb_id, detail)
        self.live.poke()
        return operation

    async def flatten(self, caller: Caller, now_ms: int, key: str | None = None) -> list[Json]:
        """Close everything that is open, at any price; what refuses is told beside the rest."""
        open_now = [one.arb_id for one in await self.journal.unfinished() if one.phase in FLATTENS]

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
        for one in await self.journal.unfinished():
            known = await self.live.known(one.arb_id)
            if known.phase not in FLATTENS:
                continue
            number += 1
            now = sales.close_now(known)
            if now is None:
                raise Problem(
                    409, "no_preview", f"{one.title}: the bids seen last do not hold the position"
                )
            result += now
            proceeds += now + known.outlay
            held += min(known.payouts.values()) - known.outlay
        return {
            "positions": number,
            "proceeds": usd(proceeds),
            "result": usd(result),
            "hold_at_least": usd(held),
        }

    def _may_enable(self, caller: Caller, confirm: str | None) -> None:
        if self.mode is Mode.LIVE:
            caller.need(Scope.ADMIN)
            if confirm != "LIVE":
                message = "expected the word LIVE: real money would leave"
                errors = [{"field": "confirm", "message": message}]
                raise Problem(409, "refused", message, errors=errors)
        self._need_executor()

    def _need_executor(self) -> None:
        if not self.live.alive:
            raise Problem(
                503,
                "executor_down",
                "The executor is not running: nothing was changed. Start it with "
                "`lockstep run executor`.",
            )

    async def _carrier(self, arb_id: str) -> str:
        """The workflow that carries an open arbitrage; Problem where it is not open."""
        try:
            state = await self.journal.arbitrage(arb_id)
        except NotJournaled:
            message = f"expected an open position, found no {arb_id[:80]!r}"
            errors = [{"field": "position_id", "message": message}]
            raise Problem(404, "not_found", message, errors=errors) from None
        if state.phase.ended:
            raise Problem(409, "not_open", f"{arb_id} is {state.phase}: there is nothing to do")
        self._need_executor()
        return names.workflow_id(arb_id, state.adopted)

    async def _save(
        self, changes: Mapping[str, object], expected: int | None, caller: Caller, now_ms: int
    ) -> SavedSettings:
        manager = self.journal.settings
        for attempt in range(SAVES):
            current = await manager.load()
            wanted = checked(current.settings, changes)
            version = current.version if expected is None else expected
            try:
                return await manager.update(wanted, version, caller.act(now_ms))
            except SettingsConflict as conflict:
                if expected is not None or attempt == SAVES - 1:
                    raise await self._conflict(conflict) from None
        raise AssertionError("the last attempt returns or raises")

    async def _conflict(self, conflict: SettingsConflict) -> Problem:
        saved = await self.journal.settings.load()
        executors = self.live.survey.executors if self.live.survey else ()
        return Problem(
            412,
            "conflict",
            f"{saved.updated_by} saved version {saved.version} meanwhile; yours was made from "
            f"version {conflict.expected}. Nothing was saved.",
            current=slices.settings(saved, executors, numbers=False),
        )

    async def _switched(self, *, fenced: bool) -> Json:
        """What is true now; after a stop, once nothing can leave any more."""
        self.live.poke()
        if fenced:
            await asyncio.sleep(run_state.STOPPED_AFTER_MS / 1000)
        state = await self.journal.run_state()
        told = slices.state_word(state, alive=self.live.alive)
        shown = self.live.hub.board.get("run_state") or {}
        return {
            "enabled": state.enabled,
            "run_state": shown | {"state": told, "reason": state.reason or ""},
        }


def checked(current: ExecutorSettings, changes: Mapping[str, object]) -> Changes:
    """The changes, if every one of them can be; else Problem 422 that names every field."""
    errors: list[Json] = []
    good: dict[str, str | int | bool | Decimal] = {}
    parsed: dict[str, Any] = {}
    if not changes:
        errors.append({"field": "settings", "message": "expected at least one setting"})
    for field, value in changes.items():
        if not isinstance(value, str | int | Decimal | bool):
            errors.append({"field": field, "message": "must be a number"})
            continue
        try:
            parsed |= settings.parse({field: value})
        except InvalidSettings as invalid:
            errors.append({"field": invalid.field, "message": invalid.message})
        else:
            good[field] = value
    wanted = replace(current, **parsed)
    errors += [{"field": p.field, "message": p.message} for p in wanted.problems()]
    if errors:
        detail = "; ".join(f"{one['field']} {one['message']}" for one in errors)
        raise Problem(422, "invalid", detail, errors=errors)
    return good


def _loss_max(value: object) -> Usd | None:
    if value is None:
        return None
    message = ""
    try:
        if not isinstance(value, str | int | Decimal):
            raise NotMoney(f"expected an amount, found {type(value).__name__}")
        bound = exact_usd(value)
        if bound >= ZERO:
            return bound
        message = f"expected 0 or more, found {bound}"
    except NotMoney as error:
        message = str(error)
    errors = [{"field": "loss_max", "message": message}]
    raise Problem(422, "invalid", f"loss_max: {message}", errors=errors)


def _operation(workflow_id: str, verb: str, key: str | None) -> Operation:
    """The same key names the same update, so that Temporal itself does it once."""
    seed = f"{workflow_id}/{key}" if key else uuid4().hex
    return Operation(workflow_id, f"{verb}-{hashlib.sha256(seed.encode()).hexdigest()[:24]}")
