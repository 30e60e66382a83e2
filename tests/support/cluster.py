"""Temporal's own server, its schema tool and its schema, built by Go into the user's cache once.

`python -m tests.support.cluster` builds them, which takes five to ten minutes on two cores.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from app.temporal_binary import cache_dir, go_environment, one_at_a_time, scratch_folder

MODULE = "go.temporal.io/server"
VERSION = "v1.29.1"
PROGRAMS = {"server": "cmd/server", "sql": "cmd/tools/sql"}
NAMES = {"server": "temporal-server", "sql": "temporal-sql-tool"}
SCHEMA = "schema/postgresql/v12"
BUILD_SECONDS = 3_600
NO_GO = "no Go on this machine to build Temporal's server with: `make test-cluster` needs it"


def programs() -> Path:
    """The folder with `temporal-server`, `temporal-sql-tool` and `schema/`."""
    return cache_dir() / f"temporal-server-{VERSION}"


def build() -> Path:
    """Have them in the cache; RuntimeError with Go's last words where that fails."""
    folder = programs()
    with one_at_a_time(cache_dir()):
        if not folder.exists():
            go = shutil.which("go")
            if go is None:
                raise RuntimeError(NO_GO)
            with scratch_folder(cache_dir()) as scratch:
                _build(go, scratch).replace(folder)
    return folder


def _build(go: str, scratch: Path) -> Path:
    packages = [f"{MODULE}/{path}@{VERSION}" for path in PROGRAMS.values()]
    environment = go_environment(os.environ, scratch)
    done = subprocess.run(
        [go, "install", *packages],
        env=environment,
        cwd=scratch,
        capture_output=True,
        text=True,
        timeout=BUILD_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(done.stderr[-2000:])
    made = scratch / "made"
    made.mkdir()
    for built, name in NAMES.items():
        (scratch / "bin" / built).replace(made / name)
    source = Path(environment["GOMODCACHE"]) / f"{MODULE}@{VERSION}" / SCHEMA
    shutil.copytree(source, made / "schema")
    return made


if __name__ == "__main__":
    # Before the tests, whose time limit it would break; without Go they skip and say so.
    if programs().exists() or shutil.which("go"):
        sys.stdout.write(f"{build()}\n")
