"""`lockstep settings`: what trades may do, versioned, with who changed what from where."""

from typing import Annotated

import typer
from rich.table import Table

from app.commands.frame import (
    AsJson,
    ConfigFile,
    DryRun,
    Yes,
    confirm,
    emit,
    group,
    load,
    run,
    say,
    table,
    verb,
)
from app.errors import UsageError
from app.operating.outputs import SettingsChange
from domain.venue import Mode


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    settings = group(app, "settings", "Bets, ROI bounds and daily limits, versioned.")
    verb(
        settings,
        "get",
        "settings get: all of them, with version and author",
        "settings get max_bet: one value alone",
        "settings get --json: for a script",
    )(get)
    verb(
        settings,
        "set",
        "settings set max_bet=50: save one",
        "settings set min_roi=1.5 max_roi=8 --dry-run: what would change",
        "settings set max_daily_loss=25 --yes: without asking, also in mode live",
    )(set_values)
    verb(
        settings,
        "diff",
        "settings diff: what the newest version changed",
        "settings diff 3: version 3 against the newest",
        "settings diff 3 7: version 3 against version 7",
    )(diff)
    verb(settings, "history", "settings history: who changed what, newest first")(history)
    verb(
        settings,
        "revert",
        "settings revert 3 --dry-run: what going back to version 3 would change",
        "settings revert 3: save its values as a new version",
    )(revert)


def get(
    name: Annotated[str | None, typer.Argument(metavar="SETTING")] = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Print the settings in force."""
    from app.operating import settings

    told = run(settings.get(load(config)))
    if name is not None and name not in told.settings:
        raise UsageError(f"SETTING: expected one of {', '.join(told.settings)}, found {name!r}")
    if name is not None:
        emit(told, as_json, str(told.settings[name]))
        return
    lines = [f"{field} = {value}" for field, value in told.settings.items()]
    origin = f"version {told.version}, {told.saved_at} by {told.saved_by} ({told.origin})"
    emit(told, as_json, *lines, origin)


def set_values(
    pairs: Annotated[list[str], typer.Argument(metavar="SETTING=VALUE...")],
    dry_run: DryRun = False,
    yes: Yes = False,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Save settings as a new version: all of them or none. The next gate keeps to them.

    A running trade keeps the version that it was admitted under.
    """
    from app.operating import settings

    static, values = load(config), parsed(pairs)
    change = run(settings.wanted(static, values))
    if dry_run or not change.changes:
        emit(change, as_json, _shown(change))
        return
    looser = settings.loosens(change)
    if static.mode is Mode.LIVE and looser:
        say(f"real money: this loosens {', '.join(looser)}")
        confirm("Save it?", yes=yes)
    saved = run(settings.save(static, values, change.before_version))
    emit(saved, as_json, _shown(saved))


def diff(
    before: Annotated[int | None, typer.Argument(min=1)] = None,
    after: Annotated[int | None, typer.Argument(min=1)] = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Print what two versions have and had; by default the last change."""
    from app.operating import settings

    told = run(settings.diff(load(config), before, after))
    emit(told, as_json, _shown(told))


def history(
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 20,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Print who changed what, when and from where, the newest first."""
    from app.operating import settings

    told = run(settings.history(load(config), limit))
    shown = table("version", "at", "by", "from", "changes", right="version")
    for one in told.versions:
        changes = ", ".join(f"{name} {old} → {new}" for name, (old, new) in one.changes.items())
        shown.add_row(str(one.version), one.at, one.actor, one.origin, changes)
    emit(told, as_json, shown)


def revert(
    version: Annotated[int, typer.Argument(min=1)],
    dry_run: DryRun = False,
    yes: Yes = False,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Save the values of an older version as a new one; whether entries leave is not touched."""
    from app.operating import settings

    static = load(config)
    change = run(settings.revert(static, version, dry_run=True))
    if dry_run or not change.changes:
        emit(change, as_json, _shown(change))
        return
    looser = settings.loosens(change)
    if static.mode is Mode.LIVE and looser:
        say(f"real money: this loosens {', '.join(looser)}")
        confirm("Save it?", yes=yes)
    saved = run(settings.revert(static, version, dry_run=False))
    emit(saved, as_json, _shown(saved))


def parsed(pairs: list[str]) -> dict[str, str]:
    """Settings typed as NAME=VALUE; UsageError where one is not."""
    values = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise UsageError(f"SETTING=VALUE: expected such as max_bet=50, found {pair!r}")
        values[name.strip()] = value.strip()
    return values


def _shown(change: SettingsChange) -> Table | str:
    if not change.changes:
        return f"version {change.before_version}: nothing differs"
    what = "saved as" if change.saved else "would be"
    versions = f"v{change.before_version}", f"v{change.after_version}"
    shown = table("setting", *versions, right=" ".join(versions))
    for name, (old, new) in change.changes.items():
        shown.add_row(name, str(old), str(new))
    shown.title = None if not change.saved else f"{what} version {change.after_version}"
    return shown
