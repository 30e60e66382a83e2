"""The set-up script on machines that lack something: one line says how to get it."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.browser import PLAYWRIGHTS_OWN
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


HAS_BROWSER = 'case "$*" in *tests.support.browser*) [ -e "$HOME/browser" ]; exit;; esac\n'


def test_without_a_browser_it_installs_playwrights_own(bootstrap: Run) -> None:
    python = HAS_BROWSER + 'case "$*" in *playwright*) : > "$HOME/browser"; echo "$@";; esac'
    done = bootstrap("--browser", venv_python=python)
    assert done.returncode == 0
    assert "-m playwright install chromium" in done.stderr.splitlines()
    assert "the pages are not tested" not in done.stderr
    again = bootstrap("--browser")
    assert (again.returncode, again.stderr) == (0, "")


def test_where_no_browser_can_be_had_it_goes_on_and_says_how_to_get_one(bootstrap: Run) -> None:
    python = HAS_BROWSER + 'case "$*" in *playwright*) exit 1;; esac'
    done = bootstrap("--browser", venv_python=python)
    assert done.returncode == 0
    assert "the pages are not tested: `apt install chromium`" in done.stderr.splitlines()[-1]


def test_a_browser_is_found_where_playwright_would_put_its_own_and_before_it_on_path(
    tmp_path: Path,
) -> None:
    named = {"HOME": str(tmp_path), "PLAYWRIGHT_BROWSERS_PATH": str(tmp_path / "own")}
    path = tmp_path / "bin"
    path.mkdir()

    def found() -> str:
        asked = [sys.executable, "-m", "tests.support.browser"]
        environment = named | {"PATH": str(path)}
        done = subprocess.run(
            asked, env=environment, cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert done.stdout or "scripts/bootstrap --browser" in done.stderr, done.stderr
        return done.stdout.strip()

    if found() == "":
        asked = [sys.executable, "-c", PLAYWRIGHTS_OWN]
        own = subprocess.check_output(asked, env=named | {"PATH": str(path)}, text=True).strip()
        assert own.startswith(str(tmp_path))
        Path(own).parent.mkdir(parents=True)
        for body, place in (("exit 127", ""), ("exit 0", own)):
            Path(own).write_text(f"#!/bin/sh\n{body}\n")
            Path(own).chmod(0o755)
            assert found() == place
    program = path / "chromium"
    program.touch(mode=0o755)
    assert found() == str(program)
