"""`scan` and `pairs`: what the scanner of a running system sees, and why the rest is skipped."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from domain.policy import Refusal
from tests.support.driver import sqlite3
from tests.support.stack import StackUnderTest, run_lockstep

pytestmark = [pytest.mark.slow, pytest.mark.temporal, pytest.mark.timeout(400)]


def seen(stack: StackUnderTest, pair: str) -> dict[str, Any] | None:
    """The scanner's last look at a pair."""
    told = stack.published("scan", "scan")
    return next((one for one in told["opportunities"] if one["pair_id"] == pair), None)


def test_what_would_lose_is_seen_with_the_reason_that_the_gate_names(stack: StackUnderTest) -> None:
    pair = stack.pair()
    stack.edge(pair, -2)

    def priced() -> dict[str, Any] | None:
        one = seen(stack, pair)
        return one if one and one["reason"] == Refusal.EDGE_BELOW_POLICY else None

    one = stack.until(priced, f"{pair} to be looked at")
    assert one["tradable"] is False
    assert {leg.split()[0] for leg in one["legs"].values()} == {"YES", "NO"}
    assert {Decimal(leg.split()[1]) for leg in one["legs"].values()} == {
        Decimal("0.50"), Decimal("0.52"),
    }  # fmt: skip
    assert Decimal(one["profit"]) < 0
    assert one["verdict"].startswith("Skipped: ")


def test_the_list_is_sorted_filtered_and_says_where_the_looks_ended(
    stack: StackUnderTest,
) -> None:
    for cents in (-2, -4):
        stack.edge(stack.pair(), cents)
    told = stack.published("scan", "scan", "--why")
    rois = [Decimal(one["roi"]) for one in told["opportunities"]]
    assert rois == sorted(rois, reverse=True)
    assert told["pairs"] > 0
    stages = [one["stage"] for one in told["funnel"]["stages"]]
    assert (stages[0], stages[-1]) == ("seen", "executed")
    assert told["funnel"]["reasons"]
    good = stack.ok("scan", "--min-roi", "1000000", "--json").json
    assert good["opportunities"] == []
    plain = stack.ok("scan", "--once", "--why").out
    assert plain.startswith(f"SIM  {told['pairs']} pairs watched, ")
    assert "last hour: seen" in plain
    wrong = stack.run("scan", "--min-roi", "much")
    assert (wrong.code, "--min-roi: expected a decimal number" in wrong.err) == (2, True)


def test_a_pair_is_shown_with_the_rules_of_both_venues(stack: StackUnderTest) -> None:
    pair = stack.pair()
    stack.edge(pair, -2)
    stack.until(lambda: seen(stack, pair), f"{pair} to be looked at")
    listed = stack.published("pairs-list", "pairs", "list")
    mine = next(one for one in listed["pairs"] if one["id"] == pair)
    assert (mine["listed"], set(mine["markets"])) == (True, {"polymarket", "kalshi"})

    def read() -> dict[str, Any] | None:
        told = stack.published("pairs-show", "pairs", "show", pair)
        return told if all(rule["text"] for rule in told["rules"]) else None

    told = stack.until(read, "both rule texts to be read")
    assert {rule["venue"] for rule in told["rules"]} == {"polymarket", "kalshi"}
    assert told["evidence"]
    assert told["pair"] == mine, "the list and the page of a pair say the same"
    assert Decimal(told["max_size"]) > 0
    plain = stack.ok("pairs", "show", pair).out
    assert all(rule["market"] in plain for rule in told["rules"])
    wrong = stack.run("pairs", "show", pair + "x")
    assert (wrong.code, wrong.out) == (2, "")
    assert f"did you mean {pair}?" in wrong.err


def test_a_rejected_pair_is_not_traded_until_it_is_approved(stack: StackUnderTest) -> None:
    stack.let_trade()
    pair = stack.pair()
    stack.edge(pair, -2)
    stack.until(lambda: seen(stack, pair), f"{pair} to be looked at")
    for why in ("", "  "):
        assert stack.run("pairs", "reject", pair, "--why", why).code == 2
    wrong = stack.run("pairs", "reject", pair + "x", "--why", "no")
    assert (wrong.code, f"did you mean {pair}?" in wrong.err) == (2, True)

    told = stack.published("pairs-reject", "pairs", "reject", pair, "--why", "a draw is void")
    assert (told["action"], told["before"], told["now"]["verdict"]) == ("reject", None, "rejected")
    stack.edge(pair)

    def skipped() -> bool:
        one = seen(stack, pair)
        return one is not None and one["reason"] == Refusal.PAIR_REJECTED

    stack.until(skipped, f"{pair} to be skipped")
    assert stack.position_of(pair) is None
    listed = stack.published("pairs-list", "pairs", "list")["pairs"]
    mine = next(one for one in listed if one["id"] == pair)
    assert (mine["listed"], "a draw is void" in mine["why_not"]) == (False, True)

    preview = stack.published(
        "pairs-approve", "pairs", "approve", pair, "--why", "same source", "--dry-run"
    )
    assert (preview["action"], preview["before"]["verdict"]) == ("preview", "rejected")
    unasked = stack.run("pairs", "approve", pair, "--why", "same source")
    assert (unasked.code, "add --yes" in unasked.err) == (2, True)
    assert skipped(), "nothing was approved yet"

    told = stack.published(
        "pairs-approve", "pairs", "approve", pair, "--why", "same source", "--yes"
    )
    assert (told["before"]["verdict"], told["now"]["verdict"]) == ("rejected", "approved")
    stack.until(lambda: stack.position_of(pair, "HOLDING"), f"{pair} to be held")
    stack.edge(pair, -2)
    shown = stack.published("pairs-show", "pairs", "show", pair)
    assert (shown["pair"]["confidence"], shown["review"]["holds"]) == ("reviewed", True)
    assert any("same source" in text for text in shown["evidence"])
    journal = sqlite3.connect(stack.folder / "lockstep-sim.sqlite3")
    rows = journal.execute(
        "SELECT action, origin, detail FROM audit WHERE subject = ? ORDER BY id", (pair,)
    ).fetchall()
    journal.close()
    told_of = [(action, origin, json.loads(detail)["why"]) for action, origin, detail in rows]
    assert told_of == [
        ("reject_pair", "cli", "a draw is void"),
        ("approve_pair", "cli", "same source"),
    ]


def test_a_configured_pair_that_nobody_has_seen_says_so(
    stack: StackUnderTest, tmp_path: Path
) -> None:
    (tmp_path / "mine.toml").write_text(
        '[[pairs]]\nid = "mine"\ntitle = "Will it rain?"\n'
        f'polymarket = {{ condition_id = "0x{"1" * 64}", token_yes = "1", token_no = "2" }}\n'
        'kalshi = { ticker = "KXRAIN" }\n'
    )
    told = stack.published("pairs-list", "pairs", "list", "--config", str(tmp_path / "mine.toml"))
    mine = next(one for one in told["pairs"] if one["id"] == "mine")
    assert (mine["confidence"], mine["listed"]) == ("low", False)
    assert mine["why_not"] == (
        "no executor has seen both books yet; nobody has approved it: lockstep pairs approve mine"
    )
    shown = stack.ok("pairs", "show", "mine", "--config", str(tmp_path / "mine.toml")).out
    assert "its rules were not read yet" in shown


def test_where_nobody_scans_it_is_said(tmp_path: Path) -> None:
    done = run_lockstep("scan", "--once", folder=tmp_path)
    assert (done.code, done.out) == (4, "")
    assert "Start `lockstep run`" in done.err
