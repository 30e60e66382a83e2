"""The executor's settings: saved whole or not at all, versioned, and there after a restart."""

import asyncio
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest

from domain.money import usd
from domain.policy import ExecutorSettings
from store.errors import InvalidSettings, NotJournaled, SettingsConflict
from store.journal import Journal
from store.settings import SavedSettings
from store.settings_values import Changes
from tests.store.builders import NOW, an_act
from tests.support.driver import sqlite3
from tests.support.places import REFUSED, place, plain


async def test_a_new_journal_has_the_seed_defaults_and_is_disabled(tmp_path: Path) -> None:
    journal = Journal.open(place(tmp_path / "journal.db"), NOW)
    saved = await journal.settings.load()
    journal.close()

    assert saved.settings == ExecutorSettings(
        enabled=False,
        min_bet=usd("5"),
        max_bet=usd("10"),
        min_roi=Decimal(1),
        max_roi=Decimal(50),
        max_daily_trades=50,
        max_daily_loss=usd("5"),
    )
    assert (saved.version, saved.updated_at) == (1, "2026-09-21T14:13:20.000Z")


async def test_the_first_start_alone_decides_what_the_settings_begin_with(tmp_path: Path) -> None:
    where = place(tmp_path / "journal.db")
    for at_ms, given in ((NOW, "20"), (NOW + 5, "30")):
        journal = Journal.open(where, at_ms, ExecutorSettings(max_bet=usd(given)))
        saved = await journal.settings.load()
        told = await journal.settings.history(9)
        journal.close()
        assert (saved.settings, saved.origin) == (
            ExecutorSettings(max_bet=usd("20")),
            "configuration",
        )
        assert [one.settings for one in told] == [saved.settings]


async def test_an_update_is_seen_in_memory_at_once_and_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    journal = Journal.open(path, NOW)
    await journal.settings.load()
    await journal.settings.update({"max_bet": "12.50", "enabled": True}, 1, an_act(NOW + 5))
    in_memory = journal.settings.current
    journal.close()

    journal = Journal.open(path, NOW + 10)
    after_restart = await journal.settings.load()
    journal.close()

    assert in_memory == after_restart
    assert after_restart == SavedSettings(
        ExecutorSettings(enabled=True, max_bet=usd("12.5")),
        2,
        "2026-09-21T14:13:20.005Z",
        "ada",
        "test",
    )


INVALID: list[tuple[Changes, str, str]] = [
    ({"min_bet": "11"}, "max_bet", "must be at least min_bet 11"),
    ({"min_bet": "0"}, "min_bet", "must be above 0"),
    ({"max_bet": "four"}, "max_bet", "expected a decimal number, found 'four'"),
    ({"max_bet": "NaN"}, "max_bet", "expected a finite number"),
    ({"max_bet": "1e999999"}, "max_bet", "expected less than 1000000000000"),
    ({"max_bet": "10.0000001"}, "max_bet", "at most six decimals"),
    ({"max_bet": 10.5}, "max_bet", "found float"),  # type: ignore[dict-item]
    ({"max_bet": True}, "max_bet", "found bool"),
    ({"max_bet": None}, "max_bet", "found NoneType"),  # type: ignore[dict-item]
    ({"min_roi": "-1"}, "min_roi", "must be 0 or more"),
    ({"max_roi": "0.5"}, "max_roi", "must be at least min_roi 1"),
    ({"max_daily_trades": "2.5"}, "max_daily_trades", "must be a whole number, found 2.5"),
    ({"max_daily_trades": -1}, "max_daily_trades", "must be 0 or more"),
    ({"max_daily_loss": "-0.01"}, "max_daily_loss", "must be 0 or more"),
    ({"enabled": "yes"}, "enabled", "must be true or false, found 'yes'"),
    ({"enabled": 1}, "enabled", "must be true or false, found 1"),
    ({"max_bets": "9"}, "max_bets", "is no setting, expected one of enabled, min_bet"),
]


@pytest.mark.parametrize(
    ("changes", "field", "message"), INVALID, ids=[f"{c} {m}" for c, _, m in INVALID]
)
async def test_what_cannot_be_is_refused_with_the_field_named(
    journal: Journal, changes: Changes, field: str, message: str
) -> None:
    before = journal.settings.current

    with pytest.raises(InvalidSettings) as refused:
        await journal.settings.update(changes, before.version, an_act())

    assert refused.value.field == field
    assert message in refused.value.message
    assert await journal.settings.load() == before


async def test_one_wrong_field_saves_none_of_the_others(journal: Journal) -> None:
    before = journal.settings.current
    with pytest.raises(InvalidSettings):
        await journal.settings.update(
            {"max_daily_trades": 7, "min_roi": "x"}, before.version, an_act()
        )
    assert (await journal.settings.load()).settings.max_daily_trades == 50


async def test_of_two_who_read_the_same_version_one_saves(journal: Journal) -> None:
    version = journal.settings.current.version
    results = await asyncio.gather(
        *(
            journal.settings.update({"max_daily_trades": 10 + n}, version, an_act())
            for n in range(5)
        ),
        return_exceptions=True,
    )

    conflicts = [result for result in results if isinstance(result, SettingsConflict)]
    assert len(conflicts) == 4
    assert {(c.expected, c.found) for c in conflicts} == {(version, version + 1)}


async def test_the_history_says_who_changed_what_from_where(journal: Journal) -> None:
    await journal.settings.update({"max_bet": "20", "min_bet": "5"}, 2, an_act(NOW + 9, "bob"))

    newest, enabling, first = await journal.settings.history(limit=10)

    assert (newest.version, newest.actor, newest.origin, newest.at_ms) == (
        3,
        "bob",
        "test",
        NOW + 9,
    )
    assert newest.changes == {"max_bet": ["10", "20"]}
    assert enabling.changes == {"enabled": [False, True]}
    assert (first.version, first.changes) == (1, {})
    assert await journal.settings.history(limit=1, before=3) == [enabling]


async def test_saving_what_already_holds_makes_no_version(journal: Journal) -> None:
    before = journal.settings.current
    same = await journal.settings.update({"max_bet": "10.00"}, before.version, an_act(NOW + 1))
    assert same == before


async def test_reverting_saves_old_values_as_a_new_version_and_keeps_enabled(
    journal: Journal,
) -> None:
    await journal.settings.update({"max_bet": "20"}, 2, an_act())

    reverted = await journal.settings.revert(1, 3, an_act())

    assert reverted.version == 4
    assert reverted.settings == ExecutorSettings(enabled=True)
    with pytest.raises(NotJournaled, match="no version 77"):
        await journal.settings.revert(77, 4, an_act())


async def test_another_process_sees_a_change_when_it_loads(tmp_path: Path) -> None:
    ours, theirs = (Journal.open(place(tmp_path / "journal.db"), NOW) for _ in range(2))
    await ours.settings.load()
    await theirs.settings.load()
    await theirs.settings.update({"enabled": True}, 1, an_act())

    assert not ours.settings.current.settings.enabled
    assert (await ours.settings.load()).settings.enabled
    ours.close()
    theirs.close()


async def test_the_seed_table_reads_as_the_seed_wrote_it(journal: Journal) -> None:
    await journal.settings.update({"max_bet": "12.5", "min_roi": "1.25"}, 2, an_act())

    raw = plain(journal.database.place)
    row = raw.execute(
        "SELECT id, enabled, min_bet, max_bet, min_roi, max_roi, max_daily_trades, "
        "max_daily_loss, updated_at FROM executor_settings"
    ).fetchall()
    assert row == [(1, 1, 5.0, 12.5, 1.25, 50.0, 50, 5.0, "2026-09-21T14:13:20.000Z")]
    with pytest.raises(REFUSED, match="single_row"):
        raw.execute(
            "INSERT INTO executor_settings (id, enabled, min_bet_micro, max_bet_micro, "
            "min_roi_micro, max_roi_micro, max_daily_trades, max_daily_loss_micro, updated_at, "
            "version, updated_by, origin) VALUES (2, 0, 1, 1, 1, 1, 1, 1, '', 1, '', '')"
        )
    raw.rollback()
    generated = (sqlite3.OperationalError, psycopg.errors.GeneratedAlways)
    with pytest.raises(generated, match=r"UPDATE generated column|updated to DEFAULT"):
        raw.execute("UPDATE executor_settings SET max_bet = 99.0")
    raw.close()


async def test_every_saved_version_is_announced_and_audited(journal: Journal) -> None:
    await journal.settings.update({"max_bet": "20"}, 2, an_act())

    raw = plain(journal.database.place)
    topics = raw.execute("SELECT dedupe_key, topic FROM outbox ORDER BY id").fetchall()
    acts = raw.execute("SELECT action, subject, actor FROM audit ORDER BY id").fetchall()
    raw.close()
    assert topics == [("settings/2", "settings_changed"), ("settings/3", "settings_changed")]
    assert acts == [
        ("save_settings", "settings/2", "ada"),
        ("save_settings", "settings/3", "ada"),
    ]
