"""Temporal's own server and the journal on one PostgreSQL, as docker-compose.yml has them: its
schema job, its configuration, 512 history shards. PostgreSQL's files are in memory where the
machine has /dev/shm, so that what a disk takes is not in these figures.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.bench.accounts import Ground
from tests.deploy.installation import installed
from tests.deploy.play import done
from tests.support.cluster import build, programs
from tests.support.postgres import program, throwaway
from tests.support.processes import ROOT


def lacking() -> str | None:
    """What this machine has not of it, and how to get it; None where it can be measured."""
    if not programs().exists():
        return "Temporal's own server is not built: `make test-cluster` builds it, with Go"
    try:
        program("postgres")
    except AssertionError as missing:
        return str(missing)
    return None


@asynccontextmanager
async def cluster(folder: Path) -> AsyncIterator[Ground]:
    """Both servers; RuntimeError where Temporal's cannot be built (`make test-cluster`)."""
    with throwaway() as postgres, installed(folder, ROOT, postgres, programs=build()) as made:
        done(made, "temporal-schema")
        server = made.start("temporal")
        made.await_health(server)
        done(made, "temporal-namespace")
        url = (folder / "secrets" / "database__url").read_text(encoding="utf-8")
        yield Ground(
            made.temporal,
            "lockstep",
            server.process.pid,
            postgresql=postgres.process.pid if postgres.process else None,
            environment={"LOCKSTEP_DATABASE__URL": url},
        )
