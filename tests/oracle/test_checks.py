"""Each line of the oracle is silent on a sound world and speaks up in one that breaks it."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.oracle import stories
from tests.oracle.build import FEES, SIZE, Story
from tests.oracle.checks import CHECKS, NOT_CHECKED, examine
from tests.oracle.damages import BROKEN, Break
from tests.oracle.damages_evidence import EVIDENCE
from tests.oracle.damages_opposite import OPPOSITE, lower_the_limit
from tests.oracle.damages_seen import SEEN


def test_a_sound_world_breaks_nothing() -> None:
    assert [str(found) for found in examine(stories.every_ending().world())] == []


@pytest.mark.parametrize(
    ("check", "damage"),
    [*BROKEN, *EVIDENCE, *SEEN, *OPPOSITE],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_the_line_speaks_up_in_a_world_that_breaks_it(check: str, damage: Break) -> None:
    story = stories.every_ending()
    world = damage(story) or story.world()
    assert check in {found.check for found in examine(world)}


def test_a_secret_in_a_log_is_found(tmp_path: Path) -> None:
    log = tmp_path / "executor.log"
    log.write_bytes(b"signed with canary")
    found = examine(stories.every_ending().world(sinks=(log,)))
    assert [violation.check for violation in found] == ["S18_secrets"]


def test_every_line_can_fail_and_every_other_is_excused() -> None:
    assert {check for check, _ in [*BROKEN, *EVIDENCE, *SEEN]} | {"S18_secrets"} == set(CHECKS)
    assert all(len(reason) > 20 for reason in NOT_CHECKED.values())
    lines = {name.split("_")[0] for name in [*CHECKS, *NOT_CHECKED]}
    promised = {f"S{n}" for n in range(1, 22)} | {f"Q{n}" for n in range(1, 11)}
    assert lines == promised | {f"B{n}" for n in range(1, 7)}


def test_the_sample_message_of_the_seed_is_not_an_honest_profit() -> None:
    """2.07 shares against 3 contracts, "guaranteed $3.00": a loss of $0.52 in one outcome."""
    story = Story()
    arb_id = story.admit("sample")
    bought, other = stories.entries(story, arb_id)
    for intent, size, price in ((bought, "2.07", "0.55"), (other, "3", "0.40")):
        sent = story.send(intent)
        sent["size"], sent["limit"] = size, price
        story.fill(intent, sent, "0")
    story.lock(arb_id, "0.4105")
    assert "S14_honest_profit" in {found.check for found in examine(story.world())}


def test_a_pair_held_at_a_loss_counts_by_what_is_certain_of_it() -> None:
    """2.8763 lost, 0.8996 certain, 2.50 at risk: 6.2759 are needed, to the micro-dollar the judge
    allows for what Polymarket books per level."""
    for limit, broken in (("6.275897", True), ("6.275900", False)):
        story = stories.every_ending()
        lower_the_limit(story, limit)
        stories.rolled_back(story, "after")
        checks = {found.check for found in examine(story.world())}
        assert ("S7_daily_limit" in checks) is broken


def test_a_match_that_may_still_fail_counts_by_its_whole_risk() -> None:
    """2.50 at risk beside what the test above counts."""
    for limit, broken in (("8.775897", True), ("8.775900", False)):
        story = stories.every_ending()
        stories.matched(story)
        lower_the_limit(story, limit)
        stories.rolled_back(story, "after")
        checks = {found.check for found in examine(story.world())}
        assert ("S7_daily_limit" in checks) is broken


def test_what_is_held_at_a_loss_and_sold_later_is_counted_once() -> None:
    story = stories.every_ending()
    lower_the_limit(story, "6.2759")
    story.event("arb-neutral", "phase", {"phase": "CLOSING"})
    story.end("arb-neutral", "FLAT", "-0.8996")
    story.tick(10)
    story.admit("after")
    assert "S7_daily_limit" not in {found.check for found in examine(story.world())}


def test_a_failure_on_the_chain_while_no_executor_lived_is_known_once_one_does() -> None:
    """Locked three seconds after the chain had undone a leg: a lie, unless nobody was there."""
    story = Story()
    arb_id = story.admit("unseen")
    for intent in (legs := stories.entries(story, arb_id)):
        sent = story.send(intent)
        fill = story.fill(intent, sent, FEES[intent["venue"]])
        if intent is legs[0]:
            story.void(intent, sent, fill)
            ghost = fill
    failed_ms = story.tick(3_000) - 3_000
    story.lock(arb_id, "1.0089")
    ghost["state_ms"] = story.clock + 100
    world = story.world()
    for outages, broken in (((), True), (((failed_ms, story.clock),), False)):
        seen = replace(world, rules=replace(world.rules, outages=outages))
        said = [found.what for found in examine(seen) if found.check == "S14_honest_profit"]
        assert any(what.startswith(f"{arb_id}: said 1.0089") for what in said) is broken


def test_of_two_failures_on_the_chain_the_one_that_is_known_counts_nothing() -> None:
    """The entry failed and was told; what was bought in its place had failed, and nobody knew."""
    story = Story()
    arb_id = story.admit("twice")
    bought, other = stories.entries(story, arb_id)
    first = story.send(bought)
    story.fill(other, story.send(other), FEES["kalshi"])
    story.void(bought, first, story.fill(bought, first, FEES["polymarket"]))
    again = story.intend(arb_id, "polymarket", "complete", SIZE, "0.5")
    again["action"] = "buy"
    second = story.send(again)
    story.void(again, second, story.fill(again, second, FEES["polymarket"]))
    story.clock -= 40
    story.lock(arb_id, "1.0089")
    said = [found.what for found in examine(story.world()) if found.check == "S14_honest_profit"]
    assert [what for what in said if what.startswith(f"{arb_id}: said")] == []
