"""Whether entries may leave and under which limits, by page, socket or script: settings and the run
state, one audit trail. What is asked of one trade is in steering.py."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from api import slices
from api.auth import Caller
from api.live import Live
from api.problems import Problem
from api.steering import need_executor
from api.wire import Json
from domain.policy import ExecutorSettings
from domain.venue import Mode
from store import anchors
from store.errors import InvalidSettings, NotJournaled, SettingsConflict, StoppedByFile
from store.failpoints import Point, hit
from store.journal import Journal
from store.kill_file import KillFile
from store.settings import SavedSettings
from store.settings_values import Changes, parse
from store.states import Scope

SAVES = 3


@dataclass(frozen=True, slots=True)
class Commands:
    """One API process's arm. Every method raises Problem for what is refused; then nothing was
    changed unless it says so."""

    journal: Journal
    mode: Mode
    live: Live
    kill_file: KillFile

    async def set_enabled(
        self, value: bool, caller: Caller, confirm: str | None, now_ms: int
    ) -> Json:
        """Enable or disable entries. Enabling needs an executor, and in live money the word LIVE
        and the scope admin. Returns the data of status_changed once it holds."""
        if value:
            self._may_enable(caller, confirm)
        saving = self._save({"enabled": value}, None, caller, now_ms)
        if value:
            await saving
            return await self._switched()
        try:
            await self.kill_file.stop_surely(saving, f"disabled by {caller.actor}")
        except StoppedByFile as stopped:
            return self._stopped(stopped)
        return await self._switched()

    async def save(
        self, changes: Mapping[str, object], expected: int | None, caller: Caller, now_ms: int
    ) -> SavedSettings:
        """Save some settings as the version after `expected` (None: whatever is the newest)."""
        if changes.get("enabled") is True:
            self._may_enable(caller, None)
        saving = self._save(changes, expected, caller, now_ms)
        if changes.get("enabled") is not False:
            saved = await saving
            await self._switched()
            return saved
        try:
            saved = await self.kill_file.stop_surely(saving, f"disabled by {caller.actor}")
        except StoppedByFile as stopped:
            message = f"{stopped}. No entry leaves, and the settings were not saved: ask again"
            raise Problem(503, "busy", message, headers={"Retry-After": "1"}) from None
        await self._switched()
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
        halting = self.journal.halt(reason, caller.act(now_ms))
        try:
            await self.kill_file.stop_surely(halting, reason)
        except StoppedByFile as stopped:
            return self._stopped(stopped)
        told = await self._switched()
        number = len(self.live.queries.tracked)
        return told | {
            "text": f"Halted: no new entry leaves. {number} open positions stay open, running "
            "compensation finishes. Resume when you are sure."
        }

    async def resume(self, caller: Caller, now_ms: int) -> Json:
        """Release the halt and remove the kill file; trading is then enabled or not, as it was."""
        caller.need(Scope.ADMIN)
        suspicion = await self.journal.read(anchors.suspicion)
        if suspicion is not None:
            raise Problem(409, "refused", suspicion)
        act = caller.act(now_ms)
        await self.kill_file.release(lambda: self.journal.resume(act))
        return await self._switched()

    def _may_enable(self, caller: Caller, confirm: str | None) -> None:
        if self.mode is Mode.LIVE:
            caller.need(Scope.ADMIN)
            if confirm != "LIVE":
                message = "expected the word LIVE: real money would leave"
                errors = [{"field": "confirm", "message": message}]
                raise Problem(409, "refused", message, errors=errors)
        need_executor(self.live)

    async def _save(
        self, changes: Mapping[str, object], expected: int | None, caller: Caller, now_ms: int
    ) -> SavedSettings:
        manager = self.journal.settings
        for attempt in range(SAVES):
            current = await manager.load()
            wanted = checked(current.settings, changes)
            version = current.version if expected is None else expected
            try:
                saved = await manager.update(wanted, version, caller.act(now_ms))
            except SettingsConflict as conflict:
                if expected is not None or attempt == SAVES - 1:
                    raise await self._conflict(conflict) from None
            else:
                stops = changes.get("enabled") is False
                hit(Point.DISABLE if stops else Point.SETTINGS, "saved")
                return saved
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

    async def _switched(self) -> Json:
        """What is true now."""
        self.live.poke()
        state = await self.journal.run_state()
        told = state.word(alive=self.live.alive)
        shown = self.live.hub.board.get("run_state") or {}
        return {
            "enabled": state.enabled,
            "run_state": shown | {"state": told, "reason": state.reason or ""},
        }

    def _stopped(self, stopped: StoppedByFile) -> Json:
        """What is true once the kill file has stopped entries: the journal cannot be asked."""
        told = self.live.status()
        shown = told["run_state"] or {}
        return {
            "enabled": bool(told["enabled"]),
            "run_state": shown | {"state": "HALTED", "reason": str(stopped)},
            "text": f"{stopped}. No new entry leaves; nothing is saved in the journal yet.",
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
            parsed |= parse({field: value})
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
