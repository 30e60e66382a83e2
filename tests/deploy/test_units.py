"""The systemd units: what they confine, and that systemd itself has nothing to say about them."""

import shutil
import subprocess
from collections import defaultdict
from pathlib import Path

import pytest

from app.config_sources import NOT_SETTINGS, PREFIX, known_keys
from app.errors import ExitCode
from app.process import PROCESSES
from app.wiring import GRACE
from tests.support.processes import ROOT
from tests.support.stack import LOCKSTEP

UNITS = sorted((ROOT / "deploy" / "systemd").glob("*.service"))
ANALYZE = shutil.which("systemd-analyze")
PROGRAM = "/opt/lockstep/.venv/bin/lockstep"
EXPOSURE_MAX = 25
"""In tenths, as `--threshold` counts it; up to 4.4 systemd itself calls a service well confined."""
CONFINED = {
    "NoNewPrivileges": "yes", "CapabilityBoundingSet": "", "ProtectSystem": "strict",
    "ProtectHome": "yes", "PrivateTmp": "yes", "PrivateDevices": "yes", "UMask": "0077",
    "RestrictNamespaces": "yes", "StateDirectoryMode": "0700", "KillMode": "mixed",
    "Restart": "on-failure", "User": "lockstep", "RestrictSUIDSGID": "yes",
}  # fmt: skip
needs_systemd = pytest.mark.skipif(ANALYZE is None, reason="no systemd-analyze on this machine")


def read(unit: Path) -> dict[str, list[str]]:
    """Every setting with its values in order."""
    found = defaultdict(list)
    for line in unit.read_text(encoding="utf-8").splitlines():
        if "=" in line and not line.startswith("#"):
            name, _, value = line.partition("=")
            found[name].append(value)
    return found


def test_there_is_one_for_everything_and_one_for_each_process() -> None:
    assert [one.name for one in UNITS] == ["lockstep.service", "lockstep@.service"]
    everything, one_process = (read(one)["ExecStart"] for one in UNITS)
    assert everything == [f"{PROGRAM} run $ARM"]
    assert one_process == [f"{PROGRAM} run %i $ARM"]
    page = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
    for name in PROCESSES:
        assert f"lockstep@{name}" in page


@pytest.mark.parametrize("unit", UNITS, ids=lambda one: one.name)
def test_it_is_confined_and_ends_in_order(unit: Path) -> None:
    told = read(unit)
    assert {name: told[name] for name in CONFINED} == {n: [v] for n, v in CONFINED.items()}
    assert int(told["TimeoutStopSec"][0]) > GRACE.total_seconds()
    never_again = {int(one) for one in told["RestartPreventExitStatus"][0].split()}
    assert never_again == {ExitCode.USAGE, ExitCode.CONFIGURATION, ExitCode.GUARD}


@pytest.mark.parametrize("unit", UNITS, ids=lambda one: one.name)
def test_an_outage_of_any_length_is_outlasted(unit: Path) -> None:
    """Each start during it ends within seconds with code 4, and systemd counts starts."""
    told = read(unit)
    assert told["StartLimitIntervalSec"] == ["0"]
    assert "StartLimitBurst" not in told
    assert int(told["RestartSec"][0]) >= 5
    assert str(int(ExitCode.DEPENDENCY)) not in told["RestartPreventExitStatus"][0].split()


@pytest.mark.parametrize("unit", UNITS, ids=lambda one: one.name)
def test_it_names_settings_that_exist_and_no_secret(unit: Path) -> None:
    named = [one.partition("=")[0] for one in read(unit)["Environment"]]
    for name in named:
        key = name.removeprefix(PREFIX).lower().replace("__", ".")
        assert name == "XDG_CACHE_HOME" or name in NOT_SETTINGS or key in known_keys(), name
    assert {"LOCKSTEP_CONFIG", "LOCKSTEP_SECRETS_DIR", "LOCKSTEP_DATA_DIR"} <= set(named)


def placed(unit: Path, folder: Path, name: str) -> Path:
    """The unit in a folder, its program being the one of this clone."""
    text = unit.read_text(encoding="utf-8").replace(PROGRAM, str(LOCKSTEP))
    target = folder / name
    target.write_text(text, encoding="utf-8")
    return target


@needs_systemd
@pytest.mark.parametrize("unit", UNITS, ids=lambda one: one.name)
def test_systemd_finds_nothing_wrong(unit: Path, tmp_path: Path) -> None:
    file = placed(unit, tmp_path, unit.name.replace("@", "@executor"))
    command = [str(ANALYZE), "verify", "--man=no", "--recursive-errors=no", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    ours = [line for line in done.stderr.splitlines() if "lockstep" in line]
    assert (done.returncode, ours) == (0, [])


@needs_systemd
@pytest.mark.parametrize("unit", UNITS, ids=lambda one: one.name)
def test_little_of_the_machine_is_exposed_to_it(unit: Path, tmp_path: Path) -> None:
    file = placed(unit, tmp_path, unit.name.replace("@", "@executor"))
    command = [str(ANALYZE), "security", "--offline=yes", f"--threshold={EXPOSURE_MAX}"]
    done = subprocess.run(
        [*command, str(file)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
