"""Copies of a journal on PostgreSQL, by its own programs."""

import os
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen
from typing import IO
from urllib.parse import unquote, urlsplit

from app.errors import DependencyError, UsageError
from store.failpoints import Point, hit
from store.place import SchemaAddress

# What pg_restore lists of an archive: "5; 2615 16386 SCHEMA - lockstep_live lockstep".
_SCHEMA = re.compile(r"^\d+; \d+ \d+ SCHEMA - (\S+) ", re.MULTILINE)
_SINCE_17 = b"SET transaction_timeout = 0;"
_WHERE_KNOWN = (
    b"SELECT set_config(name, '0', false) FROM pg_settings WHERE name = 'transaction_timeout';\n"
)


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
    """Make the schema `ready` what `copy` of `where` holds, in one transaction; the server's role
    of `where` owns it. `there`: the schema that the copy names is there; it stays as it is.
    UsageError where `copy` is of another one."""
    listed = _run("pg_restore", "--list", str(copy))
    found = _SCHEMA.findall(listed)
    if found != [where.schema]:
        had = ", ".join(found) or "none"
        raise UsageError(f"FILE: expected a copy of the schema {where.schema}, found of {had}")
    # The copy makes the schema by its own name, so that one steps aside until it is loaded.
    rename = 'ALTER SCHEMA "{}" RENAME TO "{}";'.format
    kept = f"{ready}_kept"
    before = ["BEGIN;", "SET statement_timeout = 0;", "SET client_min_messages = warning;"]
    before += [f'DROP SCHEMA IF EXISTS "{ready}" CASCADE;']
    before += [rename(where.schema, kept)] if there else []
    after = [rename(where.schema, ready)]
    after += [rename(kept, where.schema)] if there else []
    _stream(copy, where, "\n".join(before) + "\n", "\n".join([*after, "COMMIT;"]) + "\n")


def _stream(copy: Path, where: SchemaAddress, before: str, after: str) -> None:
    """Hand the copy's SQL to the server as it is written: it is many times as large as the copy,
    and no disk here need hold it. Whoever of the three ends early, psql is never told `after`, and
    the server keeps nothing. DependencyError says who, and why."""
    # A role of the server that was copied may be unknown to this one.
    unpack = [_path("pg_restore"), "--no-owner", "--no-privileges", "--file=-", str(copy)]
    address, environment = _address(where)
    keep = [_path("psql"), "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", address]
    with (
        Popen(unpack, stdout=PIPE, stderr=PIPE) as source,
        Popen(keep, env=environment, stdin=PIPE, stdout=DEVNULL, stderr=PIPE) as target,
        ThreadPoolExecutor(2) as listening,
    ):
        assert source.stdout is not None
        assert source.stderr is not None
        assert target.stdin is not None
        assert target.stderr is not None
        unpacked = listening.submit(source.stderr.read)
        kept = listening.submit(target.stderr.read)
        try:
            with target.stdin as into:
                into.write(before.encode())
                _for_any_server(source.stdout, into)
                if source.wait() == 0:
                    hit(Point.BACKUP, "restore", "streamed")
                    into.write(after.encode())
        except BrokenPipeError:
            pass  # psql ended, and says why
        finally:
            source.stdout.close()
        # What psql says of a script that was cut off, or pg_restore of a reader that left, is not
        # why: the latter is ended by a signal.
        if source.wait() > 0:
            raise DependencyError(f"pg_restore: {_words(unpacked.result())}")
        if target.wait() != 0:
            raise DependencyError(f"psql: {_words(kept.result())}")
        if source.returncode != 0:
            raise DependencyError(f"pg_restore: ended by signal {-source.returncode}")


def _for_any_server(script: IO[bytes], into: IO[bytes]) -> None:
    """Pass the script on. What pg_restore sets at its beginning, before anything is made, are
    settings of its own version: one that an older server does not know is left out there."""
    for line in script:
        into.write(_WHERE_KNOWN if line.strip() == _SINCE_17 else line)
        if line.startswith(b"CREATE "):
            break
    shutil.copyfileobj(script, into)


def _words(said: bytes) -> str:
    return said.decode(errors="replace").strip()


def _path(program: str) -> str:
    """Where it is; DependencyError where it is not."""
    path = shutil.which(program)
    if path is None:
        raise DependencyError(
            f"{program}: expected PostgreSQL's program on PATH, found none: "
            "`apt install postgresql-client`"
        )
    return path


def _address(of: SchemaAddress) -> tuple[str, dict[str, str]]:
    """The server's address without its password, which goes by the environment: arguments are seen
    by everybody on the machine."""
    parts = urlsplit(of.url)
    address = parts._replace(netloc=parts.netloc.replace(f":{parts.password}@", "@")).geturl()
    secret = {"PGPASSWORD": unquote(parts.password)} if parts.password else {}
    return address, {**os.environ, **secret}


def _run(program: str, *arguments: str, of: SchemaAddress | None = None) -> str:
    """What it prints; DependencyError where it is missing or fails."""
    command, environment = [_path(program), *arguments], None
    if of is not None:
        address, environment = _address(of)
        command.append(address)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise DependencyError(f"{program}: {done.stderr.strip()}")
    return done.stdout
