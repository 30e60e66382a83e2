"""`lockstep db restore` and `check` on a real PostgreSQL server, killed halfway or given what must
not be."""

import asyncio
import os
import shutil
import signal
import subprocess
from functools import partial
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from app.operating import dumps
from app.wiring import wall_ms
from domain.venue import Venue
from store import lease, schema
from store.journal import Journal
from store.place import SchemaAddress
from store.tables import Base
from tests.commands.late import restored_as_an_executor_starts
from tests.support.places import plain, snapshot, told
from tests.support.stack import LOCKSTEP, Ran, run_lockstep

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


@pytest.mark.parametrize("point", ["restore/streamed", "restore/loaded", "restore/ready"])
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


@pytest.mark.parametrize("version", ["older", "9999"])
def test_nobody_restores_under_an_executor_of_another_version(
    where: SchemaAddress, copy: Path, version: str
) -> None:
    opened = Journal.open(where, wall_ms())
    accounts, later_ms = {Venue.KALSHI: "kalshi/key"}, wall_ms() + 600_000
    opened.database.write_here(lambda s: lease.take(s, "executor-1", accounts, later_ms))
    opened.close()
    version = f"{int(schema.newest()) - 1:04}" if version == "older" else version
    change(where, f"UPDATE alembic_version SET version_num = '{version}'")  # noqa: S608
    done = restore(where, copy)
    assert (done.code, done.out) == (5, ""), done
    assert "executor-1 sends for kalshi/key: stop every executor" in done.err
    assert schemas(where) == {where.schema}
    assert later(where) == 1


def test_an_executor_that_starts_meanwhile_keeps_its_journal(
    where: SchemaAddress, copy: Path
) -> None:
    done = restored_as_an_executor_starts(where, copy)
    assert (done.code, done.out) == (5, ""), done
    assert "executor-2 is at work: stop every process of lockstep" in done.err
    assert schemas(where) == {where.schema}
    assert later(where) == 1


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


def test_it_goes_through_no_disk_of_this_machine(where: SchemaAddress, copy: Path) -> None:
    """A container has no room but a small /tmp: here no file may become a byte longer."""
    limited = ["/bin/sh", "-c", 'ulimit -f 0; exec "$@"', "sh", str(LOCKSTEP)]
    done = subprocess.run(
        [*limited, "db", "restore", str(copy), "--json"],
        cwd=copy.parent,
        env={**os.environ, **told(where), "LOCKSTEP_DATA_DIR": str(copy.parent)},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert_put_back(where, Ran(done.returncode, done.stdout, done.stderr))


def test_a_role_of_another_name_puts_it_back_as_its_own(where: SchemaAddress, copy: Path) -> None:
    change(where, f"GRANT USAGE ON SCHEMA {where.schema} TO pg_monitor")
    dumps.dump(where, copy)
    change(where, f"DROP SCHEMA {where.schema} CASCADE")
    role = f"desk_{where.schema}"
    with psycopg.connect(where.url, autocommit=True) as admin:
        admin.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'guessed'")
        admin.execute(f"GRANT CREATE ON DATABASE postgres TO {role}")
    secret = where.url.split("@")[0].removeprefix("postgresql://")
    own = SchemaAddress(where.url.replace(secret, f"{role}:guessed"), where.schema)
    done = restore(own, copy)
    assert done.code == 0, done
    (state,) = snapshot(own, "run_state")["run_state"]
    assert state["halted"]


def test_a_newer_pg_restore_is_understood_by_an_older_server(
    where: SchemaAddress, copy: Path, tmp_path: Path
) -> None:
    """17 sets what servers before it do not know, whatever server the copy is for."""
    newer = tmp_path / "bin" / "pg_restore"
    newer.parent.mkdir()
    newer.write_text(
        "#!/bin/sh\n"
        f'[ "$1" = --list ] && exec {shutil.which("pg_restore")} "$@"\n'
        f'{shutil.which("pg_restore")} "$@" | sed "/transaction_timeout/d; '
        's/^SET lock_timeout = 0;/&\\nSET transaction_timeout = 0;/"\n'
    )
    newer.chmod(0o755)
    assert_put_back(where, restore(where, copy, PATH=f"{newer.parent}:{os.environ['PATH']}"))


@pytest.mark.parametrize(
    ("program", "ends", "code"),
    [
        ("pg_restore", "kill -9 $$", "ended by signal 9"),
        ("pg_restore", "echo disk gone >&2; exit 1", "pg_restore: disk gone"),
        ("psql", "echo server gone >&2; exit 2", "psql: server gone"),
    ],
)
def test_whichever_program_ends_early_the_journal_is_as_it_was(
    where: SchemaAddress, copy: Path, tmp_path: Path, program: str, ends: str, code: str
) -> None:
    before = snapshot(where, "audit", "run_state", "installation")
    ending = tmp_path / "bin" / program
    ending.parent.mkdir()
    real = shutil.which(program)
    ending.write_text(f'#!/bin/sh\n[ "$1" = --list ] && exec {real} "$@"\n{ends}\n')
    ending.chmod(0o755)
    done = restore(where, copy, PATH=f"{ending.parent}:{os.environ['PATH']}")
    assert (done.code, done.out) == (4, ""), done
    assert code in done.err
    assert schemas(where) == {where.schema}
    assert snapshot(where, "audit", "run_state", "installation") == before
