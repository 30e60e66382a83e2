"""The command as a person or a script meets it: output, errors, exit codes."""

import json
import os
import signal
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.support.processes import ROOT, Child

COMMAND = [str(Path(sys.executable).parent / "lockstep")]


def lockstep(*arguments: str, folder: Path, **env: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if "TEMPORAL_" not in name}
    return subprocess.run(
        [*COMMAND, *arguments],
        cwd=folder,
        env=clean | env,
        capture_output=True,
        text=True,
        check=False,
    )


def test_version_is_the_packages(tmp_path: Path) -> None:
    done = lockstep("version", folder=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, version("lockstep") + "\n", "")


def test_an_unknown_command_is_a_usage_error(tmp_path: Path) -> None:
    done = lockstep("dance", folder=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "dance" in done.stderr


def test_a_configuration_error_is_one_line_and_code_3(tmp_path: Path) -> None:
    done = lockstep("config", "show", folder=tmp_path, LOCKSTEP_MODE="liv")
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == (
        "error: mode (environment): expected 'sim', 'paper' or 'live', found 'liv'\n"
    )


def test_verbose_adds_the_traceback(tmp_path: Path) -> None:
    done = lockstep("-v", "config", "show", folder=tmp_path, LOCKSTEP_MODE="liv")
    assert done.returncode == 3
    assert "Traceback" in done.stderr
    assert "ConfigError" in done.stderr


def test_config_show_tells_origins_and_hides_secrets(tmp_path: Path) -> None:
    key = "ab" * 32
    done = lockstep(
        "config", "show", "--json", folder=tmp_path, LOCKSTEP_POLYMARKET__PRIVATE_KEY=key
    )
    shown = json.loads(done.stdout)
    assert shown["schema_version"] == 1
    assert shown["settings"]["polymarket.private_key"] == {"value": "set", "origin": "environment"}
    assert shown["settings"]["mode"] == {"value": "sim", "origin": "default"}
    assert key not in done.stdout
    plain = lockstep("config", "show", "--origin", folder=tmp_path)
    assert "mode = sim  (default)" in plain.stdout.splitlines()


@pytest.mark.parametrize("field", ["polymarket", "kalshi"])
def test_sim_says_where_it_is(sim: Child, field: str) -> None:
    assert field in json.dumps(sim.ready)


def test_sim_ends_when_asked(sim: Child) -> None:
    sim.process.send_signal(signal.SIGINT)
    assert sim.process.wait(10) in (0, 130)


def test_the_package_is_the_one_in_this_clone(tmp_path: Path) -> None:
    where = "import app; print(app.__path__[0])"
    done = subprocess.run(
        [sys.executable, "-c", where], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert Path(done.stdout.strip()) == ROOT / "app"
