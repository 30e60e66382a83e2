"""The audit trail is a chain: whoever changes, removes or adds a row is found."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.anchor import Anchor
from app.cli import app
from app.config_sources import load_config
from app.wiring import open_journal, wall_ms
from store.audit import Act
from tests.support.driver import sqlite3

AGAIN = """
    INSERT INTO audit SELECT 9, at_ms, actor, origin, action, subject, detail, previous_hash, hash
    FROM audit WHERE id = 1
"""


@pytest.fixture
async def trail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A journal in which three things were done, and its database."""
    monkeypatch.setenv("LOCKSTEP_DATA_DIR", str(tmp_path))
    config = load_config().config
    journal = open_journal(config)
    for verb in ("one", "two", "three"):
        await journal.audit(Act("ada", "test", wall_ms()), verb, "it", {"n": verb})
    await Anchor(config.data_dir, config.mode).write(journal)
    journal.close()
    return config.database_path


def verify() -> tuple[int, dict[str, object]]:
    done = CliRunner().invoke(app, ["audit", "verify", "--json"])
    told: dict[str, object] = json.loads(done.stdout)
    return done.exit_code, told


def tamper(path: Path, *statements: str) -> None:
    """What only somebody with the file can do: the triggers go first."""
    with sqlite3.connect(path) as plain:
        names = plain.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit'"
        ).fetchall()
        assert names, "the trail is append-only by trigger"
        for (name,) in names:
            plain.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            plain.execute(statement)


def test_a_whole_trail_is_confirmed_with_its_head(trail: Path) -> None:
    code, told = verify()
    assert (code, told["rows"], told["problem"]) == (0, 3, None)
    assert len(str(told["head"])) == 64
    shown = CliRunner().invoke(app, ["audit", "verify"])
    assert shown.stdout == f"3 rows, head {told['head']}\n"


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("UPDATE audit SET actor = 'eve' WHERE id = 2", "audit row 2: expected hash"),
        ("UPDATE audit SET detail = '{}' WHERE id = 3", "audit row 3: expected hash"),
        ("UPDATE audit SET at_ms = at_ms + 1 WHERE id = 1", "audit row 1: expected hash"),
        ("DELETE FROM audit WHERE id = 2", "audit row 3: expected to follow"),
        ("DELETE FROM audit WHERE id = 3", "the trail ends before what was seen of it"),
        (AGAIN, "audit row 9: expected to follow"),
    ],
)
def test_what_was_done_to_it_is_found(trail: Path, statement: str, found: str) -> None:
    tamper(trail, statement)
    code, told = verify()
    assert code == 1
    assert str(told["problem"]).startswith(found)


def test_the_program_itself_cannot_change_a_row(trail: Path) -> None:
    with (
        sqlite3.connect(trail) as plain,
        pytest.raises(sqlite3.IntegrityError, match="audit rows stay as they are"),
    ):
        plain.execute("UPDATE audit SET actor = 'eve'")
