"""What the build machine runs: `make test` and the core on PostgreSQL always, the rest where its
time allows, no failure of which is passed over. `make` is one that writes down what it was asked
for."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.processes import ROOT

MAKE = """#!/bin/sh
echo "$@" >>"$ASKED"
sleep "$TAKES"
[ "$1" != "$FAILS" ]
"""
ALWAYS = ["test", "test-postgres-core"]
ALL = [*ALWAYS, "test-cluster", "test-postgres-rest"]


def run(folder: Path, *, limit: int = 60, fails: str = "", tools: str = "go") -> tuple[int, str]:
    """How the script ended, and what it told."""
    for name, text in (("make", MAKE), (tools, "#!/bin/sh\n")):
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    for name in ("bash", "dirname", "sleep"):
        found = shutil.which(name)
        assert found is not None
        (folder / name).symlink_to(found)
    environment = {
        "PATH": str(folder), "ASKED": str(folder / "asked"), "FAILS": fails,
        "LOCKSTEP_CI_SECONDS": str(limit), "TAKES": "0" if limit else "1.1",
    }  # fmt: skip
    done = subprocess.run(
        [ROOT / ".ci" / "run"], env=environment, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stderr


def asked(folder: Path) -> list[str]:
    """What was made, in order."""
    return (folder / "asked").read_text().split()


def test_with_time_left_everything_is_run(tmp_path: Path) -> None:
    assert run(tmp_path) == (0, "")
    assert asked(tmp_path) == ALL


def test_what_would_end_too_late_is_not_begun_and_said(tmp_path: Path) -> None:
    code, told = run(tmp_path, limit=0)
    assert code == 0
    assert asked(tmp_path) == ALWAYS
    assert "NOT RUN" in told
    assert all(f"make {name}" in told for name in ALL[2:])


@pytest.mark.parametrize("fails", ALL)
def test_a_failure_of_any_part_fails_the_whole(tmp_path: Path, fails: str) -> None:
    code, _ = run(tmp_path, fails=fails)
    assert code != 0
    assert asked(tmp_path)[-1] == fails


def test_without_go_there_is_no_cluster(tmp_path: Path) -> None:
    code, told = run(tmp_path, tools="other")
    assert code == 0
    assert asked(tmp_path) == [*ALWAYS, "test-postgres-rest"]
    assert "NOT RUN, this machine has no go: make test-cluster" in told
