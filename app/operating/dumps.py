"""Copies of a journal on PostgreSQL, by its own programs."""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from urllib.parse import unquote, urlsplit

from app.errors import DependencyError, UsageError
from store.failpoints import Point, hit
from store.place import SchemaAddress

# What pg_restore lists of an archive: "5; 2615 16386 SCHEMA - lockstep_live lockstep".
_SCHEMA = re.compile(r"^\d+; \d+ \d+ SCHEMA - (\S+) ", re.MULTILINE)


def dump(where: SchemaAddress, target: Path) -> None:
    """Write the schema in pg_dump's custom format; it sees one state of it."""
    partial = target.with_name(f"{target.name}.partial")
    hit(Point.BACKUP, "begun")
    try:
        _run(
            "pg_dump", "--format=custom", f"--schema={where.schema}", f"--file={partial}", of=where
        )
    except DependencyError:
        partial.unlink(missing_ok=True)
        raise
    hit(Point.BACKUP, "copied")
    partial.replace(target)


def load(where: SchemaAddress, copy: Path, ready: str, *, there: bool) -> None:
    """Make the schema `ready` what `copy` of `where` holds, in one transaction. `there`: the schema
    that the copy names is there; it stays as it is. UsageError where `copy` is of another one."""
    listed = _run("pg_restore", "--list", str(copy))
    found = _SCHEMA.findall(listed)
    if found != [where.schema]:
        had = ", ".join(found) or "none"
        raise UsageError(f"FILE: expected a copy of the schema {where.schema}, found of {had}")
    with tempfile.TemporaryDirectory(prefix="lockstep-") as folder:
        script = Path(folder) / "journal.sql"
        _run("pg_restore", f"--file={script}", str(copy))
        # The copy makes the schema by its own name, so that one steps aside until it is loaded.
        rename = 'ALTER SCHEMA "{}" RENAME TO "{}"'.format
        away = rename(where.schema, f"{ready}_kept") if there else "SELECT 1"
        back = rename(f"{ready}_kept", where.schema) if there else "SELECT 1"
        whole = ("--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1")
        _run(
            "psql",
            *whole,
            "--output=/dev/null",
            f'--command=DROP SCHEMA IF EXISTS "{ready}" CASCADE',
            f"--command={away}",
            f"--file={script}",
            f"--command={rename(where.schema, ready)}",
            f"--command={back}",
            of=where,
        )


def _run(program: str, *arguments: str, of: SchemaAddress | None = None) -> str:
    """What it prints; DependencyError where it is missing or fails."""
    path = shutil.which(program)
    if path is None:
        raise DependencyError(
            f"{program}: expected PostgreSQL's program on PATH, found none: "
            "`apt install postgresql-client`"
        )
    address, secret = [], {}
    if of is not None:
        # The password goes by the environment: arguments are seen by everybody on the machine.
        parts = urlsplit(of.url)
        address = [parts._replace(netloc=parts.netloc.replace(f":{parts.password}@", "@")).geturl()]
        secret = {"PGPASSWORD": unquote(parts.password)} if parts.password else {}
    done = subprocess.run(
        [path, *arguments, *address],
        env={**os.environ, **secret},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise DependencyError(f"{program}: {done.stderr.strip()}")
    return done.stdout
