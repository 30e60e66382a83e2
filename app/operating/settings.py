"""Settings as a terminal sees them: the same versions, checks and audit rows as the page's."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from sqlmodel import Session

from api.wire import iso
from app.config import Config
from app.errors import GuardError, UsageError
from app.operating.office import act, opened
from app.operating.outputs import (
    SettingsChange,
    SettingsEntry,
    SettingsHistory,
    SettingsShown,
)
from domain.policy import ExecutorSettings
from store import settings as stored
from store.errors import SettingsConflict
from store.settings import SavedSettings, SettingsVersion
from store.settings_values import FIELDS, Changes, as_text, parse

Values = dict[str, str | int | bool]
TIGHTER_WHEN_HIGHER = frozenset({"min_bet", "min_roi"})


async def get(config: Config) -> SettingsShown:
    """The settings in force."""
    async with opened(config) as journal:
        saved = await journal.settings.load()
    return SettingsShown(
        version=saved.version,
        saved_at=saved.updated_at,
        saved_by=saved.updated_by,
        origin=saved.origin,
        settings=as_text(saved.settings),
    )


async def history(config: Config, limit: int) -> SettingsHistory:
    """Versions from the newest down."""
    async with opened(config) as journal:
        found = await journal.settings.history(limit)
    return SettingsHistory(
        versions=[
            SettingsEntry(
                version=one.version,
                at=str(iso(one.at_ms)),
                actor=one.actor,
                origin=one.origin,
                changes=one.changes,
            )
            for one in found
        ]
    )


async def diff(config: Config, before: int | None, after: int | None) -> SettingsChange:
    """What one version has and another had; by default the newest against the one before it."""
    async with opened(config) as journal:
        newest = (await journal.settings.load()).version
        last = newest if after is None else after
        first = last - 1 if before is None else before
        old = await journal.read(lambda s: _version(s, max(first, 1)))
        new = await journal.read(lambda s: _version(s, last))
    return SettingsChange(
        before_version=old.version,
        after_version=new.version,
        changes=difference(as_text(old.settings), as_text(new.settings)),
        saved=False,
    )


async def wanted(config: Config, pairs: Mapping[str, str]) -> SettingsChange:
    """What saving these would change, checked as saving checks it."""
    async with opened(config) as journal:
        saved = await journal.settings.load()
    good = _checked(saved, pairs)
    after = as_text(_applied(saved.settings, good))
    return SettingsChange(
        before_version=saved.version,
        after_version=saved.version + 1,
        changes=difference(as_text(saved.settings), after),
        saved=False,
    )


async def save(config: Config, pairs: Mapping[str, str], expected: int) -> SettingsChange:
    """Save them as the version after `expected`; GuardError where somebody saved meanwhile."""
    async with opened(config) as journal:
        before = await journal.settings.load()
        good = _checked(before, pairs)
        try:
            saved = await journal.settings.update(good, expected, act())
        except SettingsConflict as conflict:
            raise _meanwhile(conflict) from None
    return _saved(before, saved)


async def revert(config: Config, version: int, *, dry_run: bool) -> SettingsChange:
    """Save the values of an older version as a new one; whether entries leave is not touched."""
    async with opened(config) as journal:
        before = await journal.settings.load()
        old = await journal.read(lambda s: _version(s, version))
        after = as_text(old.settings) | {"enabled": before.settings.enabled}
        if dry_run:
            return SettingsChange(
                before_version=before.version,
                after_version=before.version + 1,
                changes=difference(as_text(before.settings), after),
                saved=False,
            )
        try:
            saved = await journal.settings.revert(version, before.version, act())
        except SettingsConflict as conflict:
            raise _meanwhile(conflict) from None
    return _saved(before, saved)


def difference(old: Values, new: Values) -> dict[str, tuple[str | int | bool, str | int | bool]]:
    """Every setting that differs, with both values."""
    return {field: (old[field], new[field]) for field in FIELDS if old[field] != new[field]}


def loosens(change: SettingsChange) -> list[str]:
    """Settings that would let more leave than before: the ones that ask in live money."""
    found = []
    for field, (old, new) in change.changes.items():
        higher = Decimal(str(int(new) if isinstance(new, bool) else new)) > Decimal(
            str(int(old) if isinstance(old, bool) else old)
        )
        if higher is not (field in TIGHTER_WHEN_HIGHER):
            found.append(field)
    return found


def _checked(saved: SavedSettings, pairs: Mapping[str, str]) -> Changes:
    if "enabled" in pairs:
        raise UsageError(
            "enabled: `lockstep resume` and `lockstep pause` let entries leave or stop them"
        )
    from api.commands import checked
    from api.problems import Problem

    try:
        return checked(saved.settings, pairs)
    except Problem as problem:
        raise UsageError(problem.detail) from None


def _applied(settings: ExecutorSettings, good: Changes) -> ExecutorSettings:
    return replace(settings, **parse(good))


def _saved(before: SavedSettings, saved: SavedSettings) -> SettingsChange:
    return SettingsChange(
        before_version=before.version,
        after_version=saved.version,
        changes=difference(as_text(before.settings), as_text(saved.settings)),
        saved=saved.version > before.version,
    )


def _version(session: Session, version: int) -> SettingsVersion:
    found = stored.history(session, 1, version + 1)
    if not found or found[0].version != version:
        raise UsageError(
            f"VERSION: found no version {version}; `lockstep settings history` lists them"
        )
    return found[0]


def _meanwhile(conflict: SettingsConflict) -> GuardError:
    return GuardError(f"{conflict}. Nothing was saved: look at `lockstep settings diff`, try again")
