"""`lockstep db restore` and `check` on a real PostgreSQL server, killed halfway or given what must
not be."""

import asyncio
import signal
from functools import partial
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from app.operating import dumps
from app.wiring import wall_ms
from store.journal import Journal
from store.place import SchemaAddress
from store.tables import Base
from tests.support.places import plain, snapshot, told
from tests.support.stack import Ran, run_lockstep

pytestmark = pytest.mark.postgres
LATER = (
    "INSERT INTO audit (at_ms, actor, origin, action, subject, detail, previous_hash, hash)"
    " VALUES (1, 'eve', 'x', 'later', 'x', '{}', 'no', 'no')"
)


@pytest.fixture
def where(postgres_url: str) -> SchemaAddress:
    """A journal in a schema that only this test has."""
    made = SchemaAddress(postgres_url, f"r_{uuid4().hex[:16]}")
    Journal.open(made, wall_ms()).close()
    return made


@pytest.fixture
def copy(where: SchemaAddress, tmp_path: Path) -> Path:
    """A backup, after which the journal went on."""
    dumps.dump(where, tmp_path / "copy.dump")
    change(where, LATER)
    return tmp_path / "copy.dump"


def change(where: SchemaAddress, statement: str) -> None:
    connection = plain(where)
    connection.execute(statement)
    connection.commit()
    connection.close()


def restore(where: SchemaAddress, copy: Path, **env: str) -> Ran:
    arguments = ("db", "restore", str(copy), "--json")
    return run_lockstep(*arguments, folder=copy.parent, **told(where), **env)


def later(where: SchemaAddress) -> int:
    """Of what the journal learned after its backup."""
    return sum(row["action"] == "later" for row in snapshot(where, "audit")["audit"])


def schemas(where: SchemaAddress) -> set[str]:
    """That have to do with the journal."""
    with psycopg.connect(where.url) as connection:
        asked = "SELECT nspname FROM pg_namespace WHERE starts_with(nspname, %s)"
        return {str(name) for (name,) in connection.execute(asked, (where.schema,))}


def assert_put_back(where: SchemaAddress, done: Ran) -> None:
    assert done.code == 0, done
    opened = Journal.open(where, wall_ms())
    state = asyncio.run(opened.run_state())
    opened.close()
    assert (state.halted, "copy.dump in its place" in str(state.reason)) == (True, True)
    assert later(where) == 0
    aside = SchemaAddress(where.url, str(done.json["aside"]))
    assert later(aside) == 1
    assert schemas(where) == {where.schema, aside.schema}


@pytest.mark.parametrize("point", ["restore/loaded", "restore/ready"])
def test_killed_while_putting_back_nothing_is_lost_and_a_second_run_goes_on(
    where: SchemaAddress, copy: Path, point: str
) -> None:
    before = snapshot(where, "audit", "run_state", "installation")
    killed = restore(where, copy, FP=f"P24/{point}:1")
    assert killed.code == -signal.SIGKILL
    assert snapshot(where, "audit", "run_state", "installation") == before
    assert_put_back(where, restore(where, copy))


def test_what_was_put_back_is_never_seen_without_its_halt(where: SchemaAddress, copy: Path) -> None:
    """Killed after the last step it is as if nobody had been killed."""
    assert restore(where, copy, FP="P24/restore/placed:1").code == -signal.SIGKILL
    assert later(where) == 0
    (state,) = snapshot(where, "run_state")["run_state"]
    assert state["halted"]


def test_what_is_newer_or_no_journal_changes_nothing(where: SchemaAddress, copy: Path) -> None:
    before = snapshot(where, "audit", "run_state", "installation", "alembic_version")
    newer, empty, foreign = (copy.with_name(name) for name in ("newer", "empty", "foreign"))
    change(where, f"ALTER SCHEMA {where.schema} RENAME TO {where.schema}_kept")
    for target, *statements in (
        (empty, f"CREATE SCHEMA {where.schema}"),
        (foreign, f"CREATE TABLE {where.schema}.somebody_elses (x integer)"),
    ):
        for statement in statements:
            change(where, statement)
        dumps.dump(where, target)
    change(where, f"DROP SCHEMA {where.schema} CASCADE")
    change(where, f"ALTER SCHEMA {where.schema}_kept RENAME TO {where.schema}")
    (kept,) = before["alembic_version"]
    change(where, "UPDATE alembic_version SET version_num = '9999'")
    dumps.dump(where, newer)
    change(where, f"UPDATE alembic_version SET version_num = '{kept['version_num']}'")  # noqa: S608
    for file, code, words in (
        (newer, 3, "use the newer program"),
        (foreign, 3, "somebody_elses"),
        (empty, 5, "is not a journal"),
    ):
        done = restore(where, file)
        assert (done.code, done.out) == (code, ""), (file, done)
        assert words in done.err, (file, done)
        assert schemas(where) == {where.schema}
    assert before == snapshot(where, "audit", "run_state", "installation", "alembic_version")


def test_a_check_that_is_killed_has_changed_nothing(where: SchemaAddress, tmp_path: Path) -> None:
    tables = [table.name for table in Base.metadata.sorted_tables]
    before = snapshot(where, *tables)
    check = partial(run_lockstep, "db", "check", folder=tmp_path, **told(where))
    assert check(FP="P24/check:1").code == -signal.SIGKILL
    assert snapshot(where, *tables) == before
    assert check().code == 0


def test_it_goes_where_no_journal_is(where: SchemaAddress, copy: Path) -> None:
    change(where, f"DROP SCHEMA {where.schema} CASCADE")
    done = restore(where, copy)
    assert (done.code, done.json["aside"]) == (0, None), done
    (state,) = snapshot(where, "run_state")["run_state"]
    assert state["halted"]
    assert schemas(where) == {where.schema}
