"""The set-up script on machines that lack something: one line says how to get it."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.processes import ROOT

TOOLS = ("bash", "cat", "cmp", "cp", "dirname", "id")
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def bootstrap(tmp_path: Path) -> Run:
    """Run the script in a copy of the clone, on a machine that has only these programs."""
    clone, path = tmp_path / "clone", tmp_path / "path"
    (clone / "scripts").mkdir(parents=True)
    path.mkdir()
    for name in ("scripts/bootstrap", "requirements.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, clone / name)
    for tool in TOOLS:
        (path / tool).symlink_to(str(shutil.which(tool)))

    def run(*arguments: str, **programs: str) -> subprocess.CompletedProcess[str]:
        for name, body in programs.items():
            place = clone / ".venv" / "bin" / "python" if name == "venv_python" else path / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(f"#!/bin/bash\n{body}\n")
            place.chmod(0o755)
        return subprocess.run(
            [str(clone / "scripts" / "bootstrap"), *arguments],
            env={"PATH": str(path), "HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_without_python_it_says_how_to_get_one(bootstrap: Run) -> None:
    done = bootstrap()
    assert done.returncode == 4
    assert done.stderr.count("\n") == 1
    assert "no Python 3.11 to 3.14 found" in done.stderr
    assert "apt install python3" in done.stderr


def test_a_python_that_is_too_old_does_not_count(bootstrap: Run) -> None:
    done = bootstrap(python3='[ "$1" = -c ] && exit 1; echo "Python 3.9.2"')
    assert done.returncode == 4
    assert "no Python 3.11 to 3.14 found" in done.stderr


def test_a_python_without_venv_names_the_missing_package(bootstrap: Run) -> None:
    done = bootstrap(python3='case "$2" in *ensurepip*) exit 1;; esac')
    assert done.returncode == 4
    assert "apt install python3-venv" in done.stderr


def test_packages_that_cannot_be_had_end_in_one_line(bootstrap: Run) -> None:
    done = bootstrap(venv_python='case "$*" in *require-hashes*) exit 1;; esac')
    assert done.returncode == 4
    assert done.stderr.splitlines()[-1].startswith("error: packages not installed")


def test_a_second_run_installs_nothing(bootstrap: Run) -> None:
    python = 'echo "$@" >> "$HOME/calls"'
    first = bootstrap(venv_python=python)
    assert first.returncode == 0, first.stderr
    calls = Path(first.args[0]).parents[2] / "calls"
    assert "--require-hashes -r requirements.lock" in calls.read_text()
    calls.unlink()
    second = bootstrap()
    assert (second.returncode, second.stderr) == (0, "")
    assert [line for line in calls.read_text().splitlines() if "install" in line] == []


def test_without_a_browser_it_goes_on_and_names_the_package(bootstrap: Run) -> None:
    if os.path.isdir("/Applications/Google Chrome.app"):
        pytest.skip("this machine has a browser that no PATH can hide")
    done = bootstrap("--browser", venv_python="exit 0")
    assert done.returncode == 0
    assert "the pages are not tested: `apt install chromium`" in done.stderr
    found = bootstrap("--browser", chromium="exit 0")
    assert found.returncode == 0
    assert "Chromium" not in found.stderr
