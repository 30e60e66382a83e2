"""A failpoint ends the process where it says, once, and is inert where nobody asked for it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PASSES = """
from store.failpoints import Point, hit
hit(Point.BEFORE_FIRST_BYTE, "kalshi", "entry")
hit(Point.BEFORE_FIRST_BYTE, "polymarket", "entry")
hit(Point.ANSWERED, "kalshi", "entry")
"""


def passes(**environment: str) -> "subprocess.Popen[bytes]":
    clean = {name: value for name, value in os.environ.items() if not name.startswith("FP")}
    return subprocess.Popen([sys.executable, "-c", PASSES], cwd=ROOT, env=clean | environment)


def test_nothing_happens_where_nothing_is_armed(tmp_path: Path) -> None:
    assert passes().wait(10) == 0
    assert passes(FP_FILE=str(tmp_path / "none")).wait(10) == 0


@pytest.mark.parametrize(
    ("spec", "dies"),
    [
        ("P7:1", True),
        ("P7:2", True),
        ("P7:3", False),
        ("P7/polymarket:1", True),
        ("P7/polymarket:2", False),
        ("P7/kalshi/unwind:1", False),
        ("P10/kalshi/entry:1", True),
    ],
)
def test_the_nth_pass_of_the_place_is_the_last(spec: str, dies: bool) -> None:
    assert passes(FP=spec).wait(10) == (-signal.SIGKILL if dies else 0)


def test_a_file_fires_once(tmp_path: Path) -> None:
    armed = tmp_path / "armed"
    armed.write_text("P7:1")
    assert passes(FP_FILE=str(armed)).wait(10) == -signal.SIGKILL
    assert passes(FP_FILE=str(armed)).wait(10) == 0


def test_a_stopped_process_goes_on_when_told(tmp_path: Path) -> None:
    armed = tmp_path / "armed"
    armed.write_text("P7/kalshi:1:stop")
    process = passes(FP_FILE=str(armed))
    deadline = time.monotonic() + 10
    while armed.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert process.poll() is None
    while process.poll() is None and time.monotonic() < deadline:
        process.send_signal(signal.SIGCONT)  # it may arrive before the stop does
        time.sleep(0.01)
    assert process.wait(10) == 0


def test_a_spec_that_names_no_place_is_refused() -> None:
    assert passes(FP="P99:1").wait(10) == 1
