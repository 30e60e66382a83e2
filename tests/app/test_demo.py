"""The demo, as a person runs it: every ending, every limit, both ledgers, in its own process."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import fastjsonschema
import pytest

from app.operating.published import SCHEMAS
from domain.policy import Refusal

LOCKSTEP = Path(sys.executable).with_name("lockstep")
RECORDING = (
    Path(__file__).parents[2].parent / "shared/data/matching/kalshi_ws_orderbook_2026-08-07.jsonl"
)
SUMMARY_KEYS = {
    "schema_version",
    "seed",
    "trades",
    "refused",
    "orders_sent",
    "duplicate_orders",
    "naked_seconds",
    "signal_to_send_ms",
    "ledger_drift_usd",
    "violations",
}
LIMITS = {
    Refusal.EDGE_BELOW_POLICY,
    Refusal.ROI_ABOVE_POLICY,
    Refusal.BET_BELOW_MINIMUM,
    Refusal.BET_ABOVE_MAXIMUM,
    Refusal.SIZE_BELOW_VENUE_MINIMUM,
    Refusal.DISABLED,
    Refusal.HALTED,
    Refusal.DAILY_TRADES_REACHED,
    Refusal.DAILY_LOSS_REACHED,
    Refusal.PAIR_ALREADY_OPEN,
    Refusal.PAIR_COOLING_DOWN,
    Refusal.POLYMARKET_CASH_TOO_LOW,
    Refusal.KALSHI_CASH_TOO_LOW,
}


def play(home: Path, *options: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The ready line and the summary of one demo; it must have ended with 0."""
    # Whoever runs the tests may have pointed at a server and settings of his own.
    environment = {
        k: v for k, v in os.environ.items() if not k.startswith(("LOCKSTEP_", "TEMPORAL"))
    }
    done = subprocess.run(
        [LOCKSTEP, "demo", "--json", *options],
        cwd=home,
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    summary = json.loads(done.stdout)
    fastjsonschema.compile(SCHEMAS["demo"].model_json_schema())(summary)
    return json.loads(done.stderr.splitlines()[0]), summary


@pytest.mark.slow
@pytest.mark.timeout(300)
class TestTheScript:
    def test_every_ending_and_every_limit_and_not_a_cent_missing(self, tmp_path: Path) -> None:
        ready, summary = play(tmp_path, "--seconds", "1")
        assert ready["ready"] is True
        assert set(ready["urls"]) == {
            "dashboard", "api", "temporal_ui", "polymarket", "kalshi", "telegram",
        }  # fmt: skip
        assert set(ready["pids"]) == {
            "sim", "executor", "api", "temporal", "telegram", "notifier",
        }  # fmt: skip
        assert set(summary) == SUMMARY_KEYS
        assert summary["violations"] == []
        assert summary["ledger_drift_usd"] == "0"
        assert summary["duplicate_orders"] == 0
        assert sum(summary["trades"].values()) >= 20
        assert set(summary["trades"]) == {"SUCCESS", "ROLLED_BACK", "FAILED"}
        assert set(summary["refused"]) >= LIMITS


@pytest.mark.slow
@pytest.mark.timeout(300)
class TestARecording:
    @pytest.mark.skipif(not RECORDING.exists(), reason="the recordings are not beside the clone")
    def test_real_books_are_traded_and_add_up(self, tmp_path: Path) -> None:
        _, summary = play(tmp_path, "--seconds", "12", "--kalshi-frames", str(RECORDING))
        assert summary["violations"] == []
        assert summary["ledger_drift_usd"] == "0"
        assert sum(summary["trades"].values()) > 0
