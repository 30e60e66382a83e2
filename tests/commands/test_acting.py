"""`close`, `flatten`, `pause`, `resume`, `kill`, `unkill`, `arm`, `disarm`: what they do, what they
ask, and how a refusal ends."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.driver import sqlite3
from tests.support.stack import StackUnderTest, run_lockstep

pytestmark = [pytest.mark.slow, pytest.mark.temporal, pytest.mark.timeout(400)]


def audited(stack: StackUnderTest, action: str) -> list[tuple[str, str]]:
    """Who did it through what, for every time it was done."""
    with sqlite3.connect(f"file:{stack.folder}/lockstep-sim.sqlite3?mode=ro", uri=True) as journal:
        rows = journal.execute(
            "SELECT origin, subject FROM audit WHERE action = ? ORDER BY id", (action,)
        ).fetchall()
    journal.close()
    return rows


class TestClose:
    def test_a_preview_sells_nothing(self, stack: StackUnderTest, held: dict[str, Any]) -> None:
        told = stack.published("close", "close", held["id"], "--dry-run")
        assert (told["action"], told["results"]) == ("preview", [])
        assert float(told["previews"][0]["hold_at_least"]) > 0
        assert told["previews"][0]["result"] is not None
        assert len(stack.orders(held["id"])) == 2

    def test_without_a_terminal_it_names_the_flag(
        self, stack: StackUnderTest, held: dict[str, Any]
    ) -> None:
        done = stack.run("close", held["id"])
        assert (done.code, done.out) == (2, "")
        assert "add --yes" in done.err
        assert done.err.startswith("asking what selling now brings\n"), "it takes a second"
        assert "closing now brings" in done.err, "the preview comes first"
        assert len(stack.orders(held["id"])) == 2

    def test_it_sells_both_legs_and_is_audited(self, stack: StackUnderTest) -> None:
        mine = stack.open()
        told = stack.published("close", "close", mine["id"], "--yes")
        result = told["results"][0]
        assert (result["state"], result["result"]["phase"]) == ("succeeded", "FLAT")
        assert len(stack.orders(mine["id"])) == 4
        assert ("cli", mine["id"]) in audited(stack, "close_position")
        again = stack.run("close", mine["id"], "--yes")
        assert (again.code, again.out) == (5, "")
        assert "FLAT: there is nothing to close" in again.err

    def test_a_loss_that_is_too_large_needs_a_person(self, stack: StackUnderTest) -> None:
        mine = stack.open()
        done = stack.run("close", mine["id"], "--loss-max", "0", "--yes", "--json")
        assert done.code == 6, done
        stack.keeps("close", done.json)
        assert done.json["results"][0]["result"]["phase"] == "NEEDS_OPERATOR"
        assert "a person is needed: `lockstep show ID`" in done.err
        assert stack.ok("close", mine["id"], "--yes", "--json").json["results"]

    def test_nothing_is_sold_below_a_limit(self, stack: StackUnderTest) -> None:
        mine = stack.open()
        preview = stack.published("close", "close", mine["id"], "--dry-run", "--limit", "0.49")
        assert "polymarket pays 0.48 for the last contract" in preview["previews"][0]["why_not"]
        refused = stack.run("close", mine["id"], "--limit", "0.49", "--yes")
        assert (refused.code, refused.out) == (5, "")
        assert "below the limit of 0.49: wait, or give a lower limit" in refused.err
        assert len(stack.orders(mine["id"])) == 2
        bids = ("--limit", "polymarket=0.48", "--limit", "kalshi=0.40")
        told = stack.published("close", "close", mine["id"], *bids, "--yes")
        assert told["results"][0]["result"]["phase"] == "FLAT"
        story = stack.ok("trace", mine["id"]).out
        asked = next(line for line in story.splitlines() if " asks " in line)
        assert asked.endswith(", not below 0.48 at polymarket, not below 0.4 at kalshi")

    @pytest.mark.parametrize("limit", ["47", "0", "kalsi=0.47", "cheap"])
    def test_a_malformed_limit_is_named(
        self, stack: StackUnderTest, held: dict[str, Any], limit: str
    ) -> None:
        done = stack.run("close", held["id"], "--limit", limit, "--yes")
        assert done.code == 2
        assert "--limit: expected" in done.err
        assert f"found {limit!r}" in done.err

    def test_a_malformed_loss_is_named(self, stack: StackUnderTest, held: dict[str, Any]) -> None:
        done = stack.run("close", held["id"], "--loss-max", "lots", "--yes")
        assert done.code == 2
        assert "loss_max: expected a decimal number, found 'lots'" in done.err


class TestStopping:
    def test_a_pause_never_asks_and_a_resume_does(self, stack: StackUnderTest) -> None:
        stack.let_trade()
        told = stack.published("pause", "pause")
        assert (told["done"], told["run_state"]) == (True, "PAUSED")
        assert stack.ok("settings", "get", "enabled").out == "False\n"
        meaning = stack.published("resume", "resume", "--dry-run")
        assert meaning["done"] is False
        assert "mode sim: entries may leave again, each up to $20, at most" in meaning["said"]
        asked = stack.run("resume")
        assert asked.code == 2
        assert "add --yes" in asked.err
        assert stack.published("resume", "resume", "--yes")["run_state"] == "RUNNING"

    def test_a_kill_forbids_a_resume_until_the_typed_word(self, stack: StackUnderTest) -> None:
        stack.let_trade()
        told = stack.published("kill", "kill", "--reason", "the books look wrong")
        assert told["run_state"] == "HALTED"
        refused = stack.run("resume", "--yes")
        assert (refused.code, refused.out) == (5, "")
        assert "the books look wrong" in refused.err
        assert "`lockstep unkill --word unkill` releases it" in refused.err
        wrong = stack.run("unkill", "--word", "yes")
        assert wrong.code == 5
        assert stack.run("unkill").code == 2, "nobody to ask"
        stack.published("unkill", "unkill", "--word", "unkill")
        assert stack.published("resume", "resume", "--yes")["run_state"] == "RUNNING"
        assert {origin for origin, _ in audited(stack, "halt")} == {"cli"}

    def test_a_disarm_works_in_every_mode_and_an_arm_only_in_live(
        self, stack: StackUnderTest
    ) -> None:
        stack.let_trade()
        assert stack.published("disarm", "disarm")["run_state"] == "PAUSED"
        refused = stack.run("arm", "--word", "LIVE")
        assert refused.code == 5
        assert "mode sim moves no real money: there is nothing to arm" in refused.err
        stack.ok("resume", "--yes")

    def test_a_kill_needs_a_reason(self, stack: StackUnderTest) -> None:
        assert stack.run("kill").code == 2
        assert "expected why" in stack.run("kill", "--reason", " ").err


class TestFlatten:
    def test_it_previews_asks_for_the_word_and_sells_while_halted(
        self, stack: StackUnderTest
    ) -> None:
        mine = [stack.open()["id"], stack.open()["id"]]
        stack.ok("kill", "--reason", "all out")
        seen = stack.published("flatten", "flatten", "--dry-run")
        assert {one["id"] for one in seen["previews"]} >= set(mine)
        assert stack.run("flatten").code == 2
        assert stack.run("flatten", "--word", "yes").code == 5
        told = stack.published("flatten", "flatten", "--word", "flatten")
        assert {one["state"] for one in told["results"]} == {"succeeded"}
        assert stack.ok("positions", "--json").json["positions"] == []
        assert stack.ok("flatten", "--json").json["previews"] == []
        stack.ok("unkill", "--word", "unkill")


def test_without_a_run_nothing_can_be_closed(tmp_path: Path, stack: StackUnderTest) -> None:
    with sqlite3.connect(stack.folder / "lockstep-sim.sqlite3") as journal:
        with sqlite3.connect(tmp_path / "lockstep-sim.sqlite3") as copy:
            journal.backup(copy)
        copy.close()
    journal.close()
    done = run_lockstep("flatten", "--dry-run", folder=tmp_path)
    assert (done.code, done.out) == (4, "")
    assert "Start `lockstep run`" in done.err
    paused = run_lockstep("pause", folder=tmp_path)
    assert paused.code == 0, "stopping needs the journal alone"
