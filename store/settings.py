"""The executor's settings: one versioned row, a history, and a copy in memory for fast reads."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from domain.money import from_micro, to_micro, usd
from domain.policy import ExecutorSettings
from store import audit, outbox, rows, run_state
from store.audit import Act
from store.codec import detail_from, detail_json, iso_utc
from store.engine import Database
from store.errors import InvalidSettings, NotJournaled, SettingsConflict
from store.failpoints import Point, hit
from store.settings_values import FIELDS, Changes, as_text, parse
from store.tables import RunStateRow, SettingsHistoryRow, SettingsRow

_ROW = sa.select(rows.table(SettingsRow))


@dataclass(frozen=True, slots=True)
class SavedSettings:
    """Settings as saved: which version, when (ISO 8601 UTC), by whom and from where."""

    settings: ExecutorSettings
    version: int
    updated_at: str
    updated_by: str
    origin: str


@dataclass(frozen=True, slots=True)
class SettingsVersion:
    """One entry of the history; `changes` maps a field to [before, after] as text."""

    version: int
    at_ms: int
    actor: str
    origin: str
    changes: dict[str, object]
    settings: ExecutorSettings


class ExecutorSettingsManager:
    """Settings for one process. `current` is the copy in memory: advisory, since another process
    may have saved since; the gate reads the row itself."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._current: SavedSettings | None = None

    @property
    def current(self) -> SavedSettings:
        """The copy in memory; `load` comes first."""
        assert self._current is not None, "expected load() before current"
        return self._current

    async def load(self) -> SavedSettings:
        """Read the row again and keep it; a copy never goes back to an older version."""
        return self._keep(await self._database.read(read))

    async def update(self, changes: Changes, expected_version: int, act: Act) -> SavedSettings:
        """Save all changes or none. Raises InvalidSettings naming the field, or SettingsConflict
        when somebody saved after `expected_version`."""
        return self._keep(
            await self._database.write(lambda s: save(s, changes, expected_version, act))
        )

    async def revert(self, to_version: int, expected_version: int, act: Act) -> SavedSettings:
        """Save the values of an older version as a new one. `enabled` stays as it is: going back
        to old limits must not start or stop trading."""
        return self._keep(
            await self._database.write(lambda s: restore(s, to_version, expected_version, act))
        )

    async def history(self, limit: int, before: int | None = None) -> list[SettingsVersion]:
        """Versions from the newest down, those below `before` only."""
        return await self._database.read(lambda s: history(s, limit, before))

    def _keep(self, found: SavedSettings) -> SavedSettings:
        if self._current is None or found.version >= self._current.version:
            self._current = found
        return self._current


def initialise(session: Session, now_ms: int, settings: ExecutorSettings) -> None:
    """Write the first settings and an open run state into a new database; otherwise do nothing."""
    if session.get(SettingsRow, 1) is not None:
        return
    origin = "defaults" if settings == ExecutorSettings() else "configuration"
    first = SavedSettings(settings, 1, iso_utc(now_ms), "lockstep", origin)
    session.add(_row(first))
    session.add(RunStateRow(epoch=1, halted=False))
    session.add(_history_row(first, {}, now_ms))
    session.flush()


def read(session: Session) -> SavedSettings:
    """The row that this transaction sees."""
    row = rows.first_of(session, _ROW)
    assert row is not None, "the journal was opened with settings"
    settings = ExecutorSettings(
        enabled=row.enabled,
        min_bet=usd(from_micro(row.min_bet_micro)),
        max_bet=usd(from_micro(row.max_bet_micro)),
        min_roi=from_micro(row.min_roi_micro),
        max_roi=from_micro(row.max_roi_micro),
        max_daily_trades=row.max_daily_trades,
        max_daily_loss=usd(from_micro(row.max_daily_loss_micro)),
    )
    return SavedSettings(settings, row.version, row.updated_at, row.updated_by, row.origin)


def save(session: Session, changes: Changes, expected_version: int, act: Act) -> SavedSettings:
    """See ExecutorSettingsManager.update. Saving what already holds makes no new version."""
    before = read(session)
    if before.version != expected_version:
        raise SettingsConflict(expected_version, before.version)
    after = replace(before.settings, **parse(changes))
    for problem in after.problems():
        raise InvalidSettings(problem.field, problem.message)
    if after == before.settings:
        return before
    stops = before.settings.enabled and not after.enabled
    point = Point.DISABLE if stops else Point.SETTINGS
    hit(point, "begun")
    saved = SavedSettings(after, before.version + 1, iso_utc(act.at_ms), act.actor, act.origin)
    session.merge(_row(saved))
    if stops:
        run_state.next_epoch(session)
    changed = _difference(before.settings, after)
    session.add(_history_row(saved, changed, act.at_ms))
    audit.record(session, act, "save_settings", f"settings/{saved.version}", changed)
    payload = {"version": saved.version, "by": act.actor, "origin": act.origin, "changes": changed}
    outbox.put(session, f"settings/{saved.version}", "settings_changed", payload, act.at_ms)
    hit(point, "written")
    return saved


def restore(session: Session, to_version: int, expected_version: int, act: Act) -> SavedSettings:
    """See ExecutorSettingsManager.revert."""
    row = session.get(SettingsHistoryRow, to_version)
    if row is None:
        raise NotJournaled(f"expected a settings version, found no version {to_version}")
    values = as_text(_parsed(row.settings))
    del values["enabled"]
    return save(session, values, expected_version, act)


def history(session: Session, limit: int, before: int | None = None) -> list[SettingsVersion]:
    """See ExecutorSettingsManager.history."""
    rows = select(SettingsHistoryRow).order_by(col(SettingsHistoryRow.version).desc()).limit(limit)
    if before is not None:
        rows = rows.where(col(SettingsHistoryRow.version) < before)
    return [
        SettingsVersion(
            row.version,
            row.at_ms,
            row.actor,
            row.origin,
            detail_from(row.changes),
            _parsed(row.settings),
        )
        for row in session.exec(rows)
    ]


def _row(saved: SavedSettings) -> SettingsRow:
    settings = saved.settings
    return SettingsRow(
        enabled=settings.enabled,
        min_bet_micro=to_micro(settings.min_bet),
        max_bet_micro=to_micro(settings.max_bet),
        min_roi_micro=to_micro(settings.min_roi),
        max_roi_micro=to_micro(settings.max_roi),
        max_daily_trades=settings.max_daily_trades,
        max_daily_loss_micro=to_micro(settings.max_daily_loss),
        updated_at=saved.updated_at,
        version=saved.version,
        updated_by=saved.updated_by,
        origin=saved.origin,
    )


def _history_row(
    saved: SavedSettings, changes: Mapping[str, object], at_ms: int
) -> SettingsHistoryRow:
    return SettingsHistoryRow(
        version=saved.version,
        at_ms=at_ms,
        actor=saved.updated_by,
        origin=saved.origin,
        changes=detail_json(changes),
        settings=detail_json(as_text(saved.settings)),
    )


def _difference(before: ExecutorSettings, after: ExecutorSettings) -> dict[str, object]:
    old, new = as_text(before), as_text(after)
    return {
        field: [old[field], new[field]]
        for field in FIELDS
        if getattr(before, field) != getattr(after, field)
    }


def _parsed(text: str) -> ExecutorSettings:
    values: dict[str, Any] = detail_from(text)
    return replace(ExecutorSettings(), **parse(values))
