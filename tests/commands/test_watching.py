"""`doctor`, `top`, `logs` and `export`: what they tell of a running system, and of one that is
not."""

import csv
import io
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from app.operating import logs
from tests.support.stack import LOCKSTEP, StackUnderTest, run_lockstep

pytestmark = [pytest.mark.slow, pytest.mark.temporal, pytest.mark.timeout(400)]


HEEDING = (
    "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); "
    "os.execv(sys.argv[1], sys.argv[1:])"
)
"""Run a command that heeds Ctrl-C, also where a shell started the tests in the background."""


class TestDoctor:
    def test_a_running_system_is_well(self, stack: StackUnderTest) -> None:
        stack.let_trade()
        told = stack.published("doctor", "doctor")
        states = {one["name"]: one["state"] for one in told["checks"]}
        assert [name for name, state in states.items() if state == "bad"] == []
        assert {
            "python", "data folder", "kill file", "journal", "entries", "books", "executor",
            "temporal", "search attributes", "workers", "dashboard", "polymarket", "kalshi",
        } <= set(states)  # fmt: skip
        assert states["executor"] == "ok"

    def test_a_missing_part_is_named_with_what_mends_it(self, tmp_path: Path) -> None:
        done = run_lockstep("doctor", "--json", folder=tmp_path)
        assert done.code == 1
        found = {one["name"]: one for one in done.json["checks"]}
        assert found["journal"]["state"] == "bad"
        assert found["journal"]["repair"] == "lockstep run"
        assert found["temporal"]["state"] == "bad"
        assert "not well: " in done.err
        assert all(one["repair"] for one in found.values() if one["state"] != "ok")

    def test_a_kill_file_is_worth_a_look(self, tmp_path: Path) -> None:
        (tmp_path / "KILL").write_text("the books look wrong\n")
        done = run_lockstep("doctor", folder=tmp_path)
        line = next(line for line in done.out.splitlines() if "kill file" in line)
        assert line.startswith("!")
        assert "the books look wrong" in line
        assert line.endswith("lockstep unkill")

    def test_a_configuration_that_cannot_be_read_is_code_3(self, tmp_path: Path) -> None:
        assert run_lockstep("doctor", folder=tmp_path, LOCKSTEP_MODE="liv").code == 3


class TestTop:
    def test_one_look_has_state_positions_and_events(
        self, stack: StackUnderTest, held: dict[str, Any]
    ) -> None:
        told = stack.published("top", "top")
        assert (told["mode"], told["executors"]) == ("sim", 1)
        assert held["id"] in {one["id"] for one in told["positions"]}
        assert set(told["balances"]) == {"polymarket", "kalshi"}
        assert told["happened"]
        assert told["today"]["not_final"] is not None, "what is held is not earned yet"
        plain = stack.ok("top", "--once").out
        assert " of it guaranteed and not final" in plain
        assert plain.startswith("SIM  RUNNING since")
        assert held["id"] in plain


class TestLogs:
    def test_lines_of_every_process_are_told(self, stack: StackUnderTest) -> None:
        done = stack.ok("logs", "-n", "20", "--json")
        lines = [json.loads(line) for line in done.out.splitlines()]
        assert lines
        for line in lines:
            stack.keeps("logs", line)
        wrong = stack.run("logs", "--process", "nobody")
        assert wrong.code == 2
        assert "expected one of api, executor" in wrong.err

    def test_new_lines_are_followed_until_ctrl_c(self, stack: StackUnderTest) -> None:
        log = stack.folder / "logs" / "test.log"
        log.write_text('{"event": "before", "level": "info"}\n')
        child = subprocess.Popen(
            [sys.executable, "-c", HEEDING, LOCKSTEP, "logs", "-f", "-n", "0", "--process", "test"],
            cwd=stack.folder,
            env={"LOCKSTEP_DATA_DIR": str(stack.folder), "PATH": "/usr/bin:/bin"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert child.stderr is not None
        assert "following" in child.stderr.readline()
        line = {"event": "after", "level": "error", "timestamp": "2026-11-27T12:00:00Z", "n": 1}
        with log.open("a") as file:
            file.write(json.dumps(line) + "\n")
        assert child.stdout is not None
        assert child.stdout.readline() == "2026-11-27T12:00:00Z test error  after  n=1\n"
        child.send_signal(signal.SIGINT)
        assert child.wait(20) == 130
        child.stdout.close()
        child.stderr.close()
        log.unlink()

    def test_a_log_that_begins_anew_is_read_from_its_start(self, tmp_path: Path) -> None:
        folder = tmp_path / "logs"
        folder.mkdir()
        log = folder / "executor.log"
        log.write_text("a long line of an earlier life\n")
        lines = logs.follow(tmp_path, ["executor"])
        log.write_text("two\n")
        assert next(lines).said == "two"
        lines.close()  # type: ignore[attr-defined]


class TestExport:
    @pytest.fixture(scope="class")
    @staticmethod
    def traded(stack: StackUnderTest) -> Iterator[list[str]]:
        """A held pair, one that was closed and one whose leg was sold back; then all is at rest."""
        held, closed = stack.open()["id"], stack.open()["id"]
        stack.ok("close", closed, "--yes")
        pair = stack.pair()
        stack.fault("kalshi", pair, "buy", "kill", times=0)
        stack.edge(pair)

        def ended() -> str | None:
            for one in stack.ok("trades", "--json").json["trades"]:
                if one["status"] == "ROLLED_BACK" and one["final"]:
                    return str(one["id"])
            return None

        rolled_back = stack.until(ended, "a trade to be rolled back")
        stack.edge(pair, -2)
        stack.mend()
        with stack.at_rest():
            yield [held, closed, rolled_back]

    def test_every_exported_trade_is_the_sum_of_its_parts(
        self, stack: StackUnderTest, traded: list[str]
    ) -> None:
        told = stack.ok("export", "trades", "--format", "json").json
        stack.keeps("export-trades", told)
        rows = {row["id"]: row for row in told["rows"]}
        assert set(traded) <= set(rows)
        for row in rows.values():
            total = Decimal(row["gross_edge"]) - Decimal(row["unwind"])
            for venue in ("polymarket", "kalshi"):
                total -= Decimal(row[f"{venue}_fee"]) + Decimal(row[f"{venue}_slippage"])
            assert total == Decimal(row["net"]), row["id"]
        held, closed, rolled_back = (rows[one] for one in traded)
        for row in (held, closed, rolled_back):
            realised = stack.shown(row["id"])["realised"]
            assert row["final"] is (realised is not None)
            if row["final"]:
                assert Decimal(realised) == Decimal(row["net"])
        assert Decimal(held["net"]) > 0
        assert Decimal(held["unwind"]) == 0
        assert (closed["payout"], closed["kalshi_sold"]) == ("0", closed["kalshi_bought"])
        assert (rolled_back["kalshi_bought"], rolled_back["status"]) == ("0", "ROLLED_BACK")

    def test_csv_and_parquet_say_the_same(self, stack: StackUnderTest, traded: list[str]) -> None:
        as_csv = list(csv.DictReader(io.StringIO(stack.ok("export", "trades").out)))
        path = stack.folder / "trades.parquet"
        done = stack.ok("export", "trades", "--format", "parquet", "--output", str(path))
        assert done.out == ""
        assert "wrote" in done.err
        with duckdb.connect() as other:
            found = other.execute(
                "SELECT id, net, opened_at, final, polymarket_cost FROM read_parquet(?)",
                [str(path)],
            ).fetchall()
        assert len(found) == len(as_csv) >= len(traded)
        for (arb_id, net, opened_at, final, cost), row in zip(found, as_csv, strict=True):
            assert (arb_id, net, cost) == (
                row["id"],
                Decimal(row["net"]),
                Decimal(row["polymarket_cost"]),
            )
            assert str(final) == row["final"]
            assert opened_at.strftime("%Y-%m-%dT%H:%M:%S") == row["opened_at"][:19]

    def test_a_tax_programs_rows_add_up_to_the_same_result(
        self, stack: StackUnderTest, traded: list[str]
    ) -> None:
        rows = stack.ok("export", "trades", "--format", "json").json["rows"]
        net = {row["id"]: Decimal(row["net"]) for row in rows if row["final"]}
        told = stack.ok("export", "trades", "--profile", "koinly").out
        cash = dict.fromkeys(net, Decimal(0))
        for moved in csv.DictReader(io.StringIO(told)):
            for name, sign in (("Received", 1), ("Sent", -1), ("Fee", -1)):
                arb_id = moved["Description"].split()[1]
                if arb_id in net and moved[f"{name} Currency"] in ("USD", "pUSD"):
                    cash[arb_id] += sign * Decimal(moved[f"{name} Amount"])
        assert set(traded[1:]) <= set(net)
        assert cash == net

    def test_a_tax_program_reads_csv_only(self, stack: StackUnderTest) -> None:
        done = stack.run("export", "trades", "--profile", "koinly", "--format", "json")
        assert (done.code, "--format" in done.err) == (2, True)

    def test_a_file_that_cannot_be_written_is_named(
        self, stack: StackUnderTest, traded: list[str]
    ) -> None:
        done = stack.run("export", "trades", "--output", str(stack.folder / "no" / "file.csv"))
        assert done.code == 2
        assert "--output" in done.err


def test_the_quiet_option_leaves_only_data(stack: StackUnderTest) -> None:
    began = time.monotonic()
    done = stack.ok("--quiet", "export", "trades", "--format", "json")
    assert done.err == ""
    assert time.monotonic() - began < 60
