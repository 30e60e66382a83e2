"""`retry` and `trace`: what is stuck is named and set going, without an order being sent again."""

import asyncio
import re
from typing import Any

import pytest
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import PauseActivityRequest

from tests.support.stack import StackUnderTest
from tests.support.temporal import connect_to

pytestmark = [pytest.mark.slow, pytest.mark.temporal, pytest.mark.timeout(400)]


def terminate(stack: StackUnderTest, workflow_id: str) -> None:
    """End a workflow as nobody should."""

    async def act() -> None:
        client = await connect_to(str(stack.ready["temporal"]))
        await client.get_workflow_handle(workflow_id).terminate(reason="a test")

    asyncio.run(act())


def pause(stack: StackUnderTest, workflow_id: str) -> str:
    """Pause the activity that a held pair waits for; its name."""

    async def act() -> str:
        client = await connect_to(str(stack.ready["temporal"]))
        while True:
            described = await client.get_workflow_handle(workflow_id).describe()
            watching = [one.activity_id for one in described.raw_description.pending_activities]
            if watching and watching[0].startswith("watch:") and watching[0] != "watch:1":
                break
            await asyncio.sleep(0.2)
        name = str(watching[0])
        await client.workflow_service.pause_activity(
            PauseActivityRequest(
                namespace=client.namespace,
                execution=WorkflowExecution(workflow_id=workflow_id),
                id=name,
            )
        )
        return name

    return asyncio.run(act())


def said(told: dict[str, Any]) -> str:
    """The whole story as one text."""
    return "\n".join(f"{line['who']} {line['said']}" for line in told["lines"])


class TestRetry:
    def test_a_held_pair_waits_for_nothing(
        self, stack: StackUnderTest, held: dict[str, Any]
    ) -> None:
        told = stack.published("retry", "retry", held["id"])
        assert (told["remedy"], told["done"], told["phase"]) == ("none", False, "HOLDING")
        assert "held until both venues settle" in told["what"]

    def test_an_uneven_pair_is_tried_again_by_an_update(self, stack: StackUnderTest) -> None:
        mine = stack.stuck()
        seen = stack.published("retry", "retry", mine["id"], "--dry-run")
        assert (seen["remedy"], seen["done"]) == ("update", False)
        assert seen["phase"] in ("NEEDS_OPERATOR", "UNWINDING")
        asked = stack.run("retry", mine["id"])
        assert asked.code == 2
        assert "add --yes" in asked.err
        # The saga tries by itself from time to time: mended first, it might need no word.
        told = stack.published("retry", "retry", mine["id"], "--yes")
        assert told["done"] is True
        stack.mend()
        stack.until(lambda: stack.told(mine["id"])["phase"] == "FLAT", "the sale to be done")
        ended = stack.run("retry", mine["id"])
        assert ended.code == 5
        assert "FLAT: there is nothing to retry" in ended.err
        story = stack.published("trace", "trace", mine["id"])
        assert "asks to try the sale again" in said(story)
        assert "granted both legs, nothing has left yet" in said(story)

    def test_an_activity_that_somebody_paused_goes_on(self, stack: StackUnderTest) -> None:
        mine = stack.open()
        name = pause(stack, mine["id"])
        seen = stack.published("retry", "retry", mine["id"], "--dry-run")
        assert (seen["remedy"], seen["stuck"]) == ("reset", f"{name} was paused by hand")
        told = stack.published("retry", "retry", mine["id"], "--yes")
        assert (told["done"], name in told["what"]) == (True, True)
        again = stack.published("retry", "retry", mine["id"], "--dry-run")
        assert again["remedy"] == "none"
        assert len(stack.orders(mine["id"])) == 2

    def test_a_lost_workflow_is_adopted(self, stack: StackUnderTest) -> None:
        mine = stack.open()
        orders = stack.orders(mine["id"])
        terminate(stack, mine["id"])
        told = stack.published("retry", "retry", mine["id"], "--yes")
        if told["remedy"] == "adopt":
            assert told["what"] == f"{mine['id']}:adopt-1 carries it now"
        stack.until(
            lambda: stack.told(mine["id"])["workflow_id"].endswith(":adopt-1"), "an adoption"
        )
        assert stack.orders(mine["id"]) == orders
        story = stack.published("trace", "trace", mine["id"])
        assert story["workflow_ids"] == [mine["id"], f"{mine['id']}:adopt-1"]
        assert "terminated the workflow: a test" in said(story)
        assert "adopted for the 1. time" in said(story)


class TestTrace:
    def test_the_story_of_a_closed_pair_is_told_by_all_who_took_part(
        self, stack: StackUnderTest
    ) -> None:
        mine = stack.open()
        stack.ok("close", mine["id"], "--yes")
        told = stack.published("trace", "trace", mine["id"])
        assert [line["at"] for line in told["lines"]] == sorted(
            line["at"] for line in told["lines"]
        )
        story = said(told)
        begun = re.search(r"started the workflow: (\d+) × YES polymarket", story)
        assert begun, story
        size = begun[1]
        for part in (
            f"gate granted both legs, nothing has left yet: {size} at polymarket",
            "workflow starts: buy YES polymarket",
            f"journal sent: entry buy {size} NO at kalshi",
            "kalshi answered: entry filled as order",
            f"[place:kalshi] kalshi holds {size} of {size}",
            "asks to sell both legs and end",
            "ended FLAT",
        ):
            assert part in story, f"{part!r} in\n{story}"

    def test_without_temporal_the_journal_still_tells(
        self, stack: StackUnderTest, held: dict[str, Any]
    ) -> None:
        done = stack.ok("trace", held["id"], "--json", LOCKSTEP_TEMPORAL__ADDRESS="127.0.0.1:9")
        assert "without Temporal's part: " in said(done.json)
        assert "journal sent: entry buy" in said(done.json)


def test_every_open_arbitrage_replays_on_the_version_that_began_it(
    stack: StackUnderTest, held: dict[str, Any]
) -> None:
    with stack.at_rest():
        open_now = stack.published("positions", "positions")["positions"]
        told = stack.published("replay-open", "replay-open")
    assert told["differing"] == []
    assert held["id"] in [one["id"] for one in open_now]
    assert told["checked"] >= len(open_now)
    assert "open arbitrages replay on this version" in stack.ok("replay-open").out
