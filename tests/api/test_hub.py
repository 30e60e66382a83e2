"""What a page is told when it cannot keep up, and when it comes back."""

import json
from typing import Any

import pytest

from api.board import Board, difference, merged, on_wire
from api.hub import RING, WAITING_MAX, Client, Hub

ROW = {"id": "c1", "roi": "1", "title": "A"}


@pytest.fixture
def hub() -> Hub:
    """A hub at the beginning of time, with a card."""
    hub = Hub(lambda: 0)
    hub.board.put("cards", {"c1": ROW})
    hub.board.take_changes()
    return hub


async def frames(client: Client, number: int) -> list[dict[str, Any]]:
    """The next frames of a page."""
    return [json.loads(await client.next_frame()) for _ in range(number)]


async def test_prices_coalesce_to_the_latest(hub: Hub) -> None:
    page = hub.join(("cards",))
    for roi in ("2", "3", "4"):
        hub.board.put_row("cards", "c1", ROW | {"roi": roi})
        hub.flush()
    (patch,) = await frames(page, 1)
    assert patch["data"] == {"cards": {"upsert": [{"id": "c1", "roi": "4"}], "remove": []}}


async def test_a_patch_holds_only_the_parts_of_its_topics(hub: Hub) -> None:
    executor, cards = hub.join(("executor",)), hub.join(("cards",))
    hub.board.put_row("cards", "c1", ROW | {"roi": "2"})
    hub.board.put("stats", {"trades": 1})
    hub.flush()
    assert set((await frames(executor, 1))[0]["data"]) == {"stats"}
    assert set((await frames(cards, 1))[0]["data"]) == {"cards", "stats"}


async def test_events_are_never_dropped_while_there_is_room(hub: Hub) -> None:
    page = hub.join(("executor",))
    for number in range(WAITING_MAX):
        hub.publish("event", {"id": str(number)})
    told = await frames(page, WAITING_MAX)
    assert [one["seq"] for one in told] == list(range(1, WAITING_MAX + 1))


async def test_a_page_that_falls_behind_gets_the_whole_state(hub: Hub) -> None:
    page = hub.join(("cards",))
    for number in range(WAITING_MAX + 40):
        hub.publish("event", {"id": str(number)})
    (init,) = await frames(page, 1)
    assert (init["type"], init["seq"]) == ("init", WAITING_MAX + 40)
    assert init["data"]["cards"] == [ROW]
    assert hub.dropped == 1
    hub.publish("event", {"id": "next"})
    assert (await frames(page, 1))[0]["seq"] == WAITING_MAX + 41


async def test_a_closed_position_does_not_come_back_by_a_patch(hub: Hub) -> None:
    page = hub.join(("executor",))
    hub.board.put_row("positions", "a", {"id": "a", "phase": "HOLDING"})
    hub.flush()
    hub.publish_row("position_closed", "positions", {"id": "a", "status": "closed"})
    told = await frames(page, 2)
    assert told[0]["type"] == "position_closed"
    assert told[1]["data"] == {"positions": {"upsert": [], "remove": []}}
    assert hub.board.get("positions") == {}


async def test_who_asked_is_told_under_his_ref(hub: Hub) -> None:
    mine, other = hub.join(("executor",)), hub.join(("executor",))
    mine.refs["a"] = "r1"
    hub.publish_row("position_closed", "positions", {"id": "a"})
    assert (await frames(mine, 1))[0]["data"]["ref"] == "r1"
    assert "ref" not in (await frames(other, 1))[0]["data"]


def test_what_was_missed_is_kept_for_a_thousand_events(hub: Hub) -> None:
    for number in range(RING + 5):
        hub.publish("event", {"id": str(number)})
    assert hub.resume(("executor",), hub.stream, 4) is None
    assert hub.resume(("executor",), "another", 100) is None
    assert hub.resume(("executor",), hub.stream, RING + 6) is None
    kept = hub.resume(("executor",), hub.stream, 5)
    assert kept is not None
    told = [json.loads(frame) for frame in kept]
    assert (told[0]["data"], told[-1]["type"]) == ({"from": 6, "to": RING + 5}, "snapshot")
    assert [one["seq"] for one in told[1:-1]] == list(range(6, RING + 6))


def test_two_changes_are_the_same_as_the_second_state() -> None:
    first: dict[str, dict[str, Any]] = {"a": {"id": "a", "x": 1}, "b": {"id": "b"}}
    second = {"a": {"id": "a", "x": 2}, "c": {"id": "c"}}
    third = {"b": {"id": "b", "y": 1}, "c": {"id": "c", "z": 1}}
    change = merged("cards", difference("cards", first, second), difference("cards", second, third))
    told = on_wire({"cards": change})["cards"]
    state: dict[str, dict[str, Any]] = {key: {**row} for key, row in first.items()}
    for row_id in told["remove"]:
        state.pop(row_id, None)
    for row in told["upsert"]:
        state[row["id"]] = state.get(row["id"], {}) | row
    assert state == third


def test_a_part_that_is_gone_is_told_and_comes_back_whole() -> None:
    board = Board()
    assert "scanner" not in board.data(("executor",))
    board.put("scanner", {"pairs": 24})
    assert board.take_changes() == {"scanner": {"pairs": 24}}
    assert board.put("scanner", None) is True
    assert board.put("scanner", None) is False
    assert board.take_changes() == {"scanner": None}
    assert board.data(("executor",))["scanner"] is None
    board.put("scanner", {"pairs": 24})
    assert board.take_changes() == {"scanner": {"pairs": 24}}
    assert merged("scanner", {"pairs": 24}, None) is None
    assert merged("scanner", None, {"pairs": 24}) == {"pairs": 24}


async def test_a_patch_that_waits_says_that_a_part_is_gone(hub: Hub) -> None:
    client = hub.join(("executor",))
    for value in ({"pairs": 24}, None):
        hub.board.put("scanner", value)
        hub.flush()
    (frame,) = await frames(client, 1)
    assert frame["data"] == {"scanner": None}


def test_an_unchanged_part_is_not_told() -> None:
    board = Board()
    assert board.put("stats", {"trades": 1}) is True
    board.take_changes()
    assert board.put("stats", {"trades": 1}) is False
    assert board.take_changes() == {}
