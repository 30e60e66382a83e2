"""The socket: what a page may say, what it is told, and what happens to anything else."""

from decimal import Decimal

import pytest
from websockets.exceptions import InvalidStatus

from api import frames
from api.frames import BadFrame, Close, Hello, Toggle, Update
from tests.api.harness import Running

SEED_SETTINGS = {
    "enabled": False,
    "min_bet": 5.0,
    "max_bet": 10.0,
    "min_roi": 1.0,
    "max_roi": 50.0,
    "max_daily_trades": 50,
    "max_daily_loss": 5.0,
}
UNDERSTOOD = [
    ('{"action": "toggle_enabled", "value": true}', Toggle(True, None, None)),
    ('{"action": "toggle_enabled", "value": false, "ref": "a"}', Toggle(False, None, "a")),
    (
        '{"action": "close_position", "position_id": "abc123"}',
        Close("abc123", None, None),
    ),
    (
        '{"action": "close_position", "position_id": "a", "limits": {"kalshi": 0.47}}',
        Close("a", None, None, {"kalshi": Decimal("0.47")}),
    ),
    (
        '{"action": "hello", "topics": ["cards"], "stream": "s", "last_seq": 4}',
        Hello(("cards",), "s", 4),
    ),
]
# what is sent | the field that is blamed
MALFORMED = """
    not json                                                        |
    []                                                              |
    "toggle_enabled"                                                |
    {}                                                              | action
    {"action": "explode"}                                           | action
    {"action": 7}                                                   | action
    {"action": "toggle_enabled"}                                    | value
    {"action": "toggle_enabled", "value": 1}                        | value
    {"action": "toggle_enabled", "value": "true"}                   | value
    {"action": "update_settings"}                                   | settings
    {"action": "update_settings", "settings": []}                   | settings
    {"action": "update_settings", "settings": {}}                   | settings
    {"action": "update_settings", "settings": {"min_bet": NaN}}     |
    {"action": "update_settings", "settings": {"min_bet": 1}, "expected_version": "1"} | expected_version
    {"action": "close_position"}                                    | position_id
    {"action": "close_position", "position_id": 7}                  | position_id
    {"action": "close_position", "position_id": "a", "limits": 0.4} | limits
    {"action": "sub", "topics": ["nobody"]}                         | topics
    {"action": "sub", "topics": "cards"}                            | topics
    {"action": "hello", "last_seq": -1}                             | last_seq
    {"action": "ping", "ref": 7}                                    | ref
"""  # noqa: E501
# settings that cannot be | the field that is blamed
REFUSED = """
    {"min_bet": 0}                       | min_bet
    {"min_bet": "-1"}                    | min_bet
    {"min_bet": "five"}                  | min_bet
    {"min_bet": "1e400"}                 | min_bet
    {"min_bet": null}                    | min_bet
    {"min_bet": [5]}                     | min_bet
    {"min_bet": 0.0000001}               | min_bet
    {"min_bet": 20}                      | max_bet
    {"max_bet": 1}                       | max_bet
    {"min_roi": 60}                      | max_roi
    {"max_daily_trades": 1.5}            | max_daily_trades
    {"max_daily_loss": "-0.01"}          | max_daily_loss
    {"max_trades": 5}                    | max_trades
    {"enabled": "yes"}                   | enabled
"""


def rows(table: str) -> list[tuple[str, str | None]]:
    """Each line as what is sent and the field."""
    found = [line.rpartition("|") for line in table.splitlines() if line.strip()]
    return [(left.strip(), right.strip() or None) for left, _, right in found]


@pytest.mark.parametrize(("text", "meant"), UNDERSTOOD)
def test_a_frame_is_understood(text: str, meant: frames.Frame) -> None:
    assert frames.parse(text) == meant


def test_amounts_of_a_frame_are_exact() -> None:
    frame = frames.parse('{"action": "update_settings", "settings": {"min_bet": 0.1}}')
    assert isinstance(frame, Update)
    assert str(frame.settings["min_bet"]) == "0.1"


@pytest.mark.parametrize(("text", "field"), rows(MALFORMED))
def test_a_malformed_frame_names_its_field(text: str, field: str | None) -> None:
    with pytest.raises(BadFrame) as bad:
        frames.parse(text)
    assert bad.value.field == field


async def test_the_first_message_is_the_whole_state(api: Running) -> None:
    async with api.page() as page:
        message = await page.next()
    assert message["type"] == "init"
    data = message["data"]
    assert data["enabled"] is False
    assert {name: data["settings"][name] for name in SEED_SETTINGS} == SEED_SETTINGS
    assert data["positions"] == []
    assert data["trades"] == []
    assert {"trades", "pnl", "wins"} <= set(data["stats"])
    assert data["run_state"]["state"] == "OFF"


async def test_a_toggle_is_confirmed_and_told_to_every_page(live: Running) -> None:
    async with live.page() as one, live.page() as other:
        await other.next("init")
        told = await one.ask("status_changed", action="toggle_enabled", value=True)
        assert told["data"]["enabled"] is True
        assert told["data"]["run_state"]["state"] == "RUNNING"
        assert (await other.next("status_changed"))["data"]["enabled"] is True
        changed = [m["data"]["enabled"] for m in other.seen if m["type"] == "settings_changed"]
        assert changed == [True]
    assert (await live.journal.settings.load()).settings.enabled


async def test_enabling_without_an_executor_says_so_and_changes_nothing(api: Running) -> None:
    async with api.page() as page:
        error = await page.ask("error", action="toggle_enabled", value=True)
        assert error["code"] == "unavailable"
        assert "not running" in error["message"]
    assert (await api.journal.settings.load()).version == 1


async def test_pausing_works_without_an_executor(api: Running) -> None:
    async with api.page() as page:
        told = await page.ask("status_changed", action="toggle_enabled", value=False)
        assert told["data"]["enabled"] is False


async def test_settings_are_saved_and_told_as_numbers_and_as_text(api: Running) -> None:
    async with api.page() as page:
        changes = {"min_bet": 5.5, "max_bet": "15.000001"}
        told = await page.ask("settings_changed", action="update_settings", settings=changes)
        assert (told["data"]["min_bet"], told["data"]["max_bet"]) == (5.5, 15.000001)
        exact = told["data"]["meta"]["exact"]
        assert (exact["min_bet"], exact["max_bet"]) == ("5.5", "15.000001")
        assert told["data"]["meta"]["version"] == 2
    saved = await api.journal.settings.load()
    assert str(saved.settings.max_bet.normalize()) == "15.000001"
    assert (saved.updated_by, saved.origin) == ("local", "dashboard")


@pytest.mark.parametrize(("settings", "field"), rows(REFUSED))
async def test_settings_that_cannot_be_are_refused_by_field(
    api: Running, settings: str, field: str | None
) -> None:
    async with api.page() as page:
        await page.socket.send(f'{{"action": "update_settings", "settings": {settings}}}')
        error = await page.next("error")
        assert (error["field"], error["code"]) == (field, "invalid")
        assert error["message"]
    assert (await api.journal.settings.load()).version == 1


async def test_two_people_save_at_once_and_one_sees_the_difference(api: Running) -> None:
    async with api.page() as anna, api.page() as ben:
        await anna.ask(action="update_settings", settings={"max_bet": 12}, expected_version=1)
        error = await ben.ask(
            "error", action="update_settings", settings={"max_bet": 14}, expected_version=1
        )
        assert error["code"] == "conflict"
        assert error["current"]["max_bet"] == "12"
    assert (await api.journal.settings.load()).settings.max_bet == 12


async def test_a_position_that_is_not_open_cannot_be_closed(live: Running) -> None:
    async with live.page() as page:
        error = await page.ask("error", action="close_position", position_id="abc123")
        assert (error["field"], error["code"]) == ("position_id", "refused")


@pytest.mark.parametrize(("text", "field"), rows(MALFORMED))
async def test_a_malformed_frame_is_answered_and_the_page_stays(
    api: Running, text: str, field: str | None
) -> None:
    async with api.page() as page:
        await page.socket.send(text)
        error = await page.next("error")
        assert (error["field"], error["code"]) == (field, "malformed")
        await page.say(action="ping")
        await page.next("heartbeat")


async def test_hello_in_the_middle_is_out_of_order(api: Running) -> None:
    async with api.page() as page:
        await page.next("init")
        await page.say(action="hello", topics=["executor"])
        assert (await page.next("error"))["field"] == "action"


async def test_a_command_before_hello_has_no_effect(live: Running) -> None:
    async with live.page("?hello=1") as page:
        await page.say(action="toggle_enabled", value=True)
        assert (await page.next())["type"] == "init"
        assert (await page.next("error"))["field"] == "action"
    assert (await live.journal.settings.load()).version == 1


async def test_a_binary_frame_closes_with_1003(api: Running) -> None:
    async with api.page() as page:
        await page.socket.send(b"\x00\x01")
        assert await page.closed() == 1003


async def test_an_oversized_frame_closes_with_1009(api: Running) -> None:
    async with api.page() as page:
        await page.socket.send("x" * (frames.FRAME_MAX + 1))
        assert await page.closed() == 1009


async def test_a_foreign_page_is_refused_before_it_is_accepted(api: Running) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with api.page(Origin="http://evil.example"):
            pass
    assert refused.value.response.status_code == 403


async def test_the_stream_is_numbered_without_a_gap(api: Running) -> None:
    async with api.page() as page:
        first = (await page.next("init"))["seq"]
        for bet in (11, 12, 13):
            await page.ask(action="update_settings", settings={"max_bet": bet})
        await page.say(action="update_settings", settings={"max_bet": 14})
        while (await page.next("event"))["data"]["text"].count("v5:") == 0:
            continue
    numbers = [m["seq"] for m in page.seen if "seq" in m and m["type"] != "init"]
    assert numbers == list(range(first + 1, first + 1 + len(numbers)))


async def test_a_page_that_comes_back_gets_what_it_missed(api: Running) -> None:
    async with api.page() as page:
        init = await page.next("init")
    async with api.page() as other:
        await other.ask(action="update_settings", settings={"max_bet": 12})
        await other.had("event", kind="settings_changed")
    async with api.page("?hello=1") as page:
        stream, seq = init["data"]["stream"], init["seq"]
        await page.say(action="hello", topics=["executor"], stream=stream, last_seq=seq)
        resumed = await page.next()
        assert (resumed["type"], resumed["data"]["from"]) == ("resume", seq + 1)
        await page.next("settings_changed", max_bet=12.0)
        assert (await page.next("snapshot"))["data"]["settings"]["max_bet"] == 12.0


async def test_a_page_of_another_stream_gets_the_whole_state(api: Running) -> None:
    async with api.page("?hello=1") as page:
        await page.say(action="hello", topics=["cards"], stream="old", last_seq=3)
        message = await page.next()
        assert message["type"] == "init"
        assert "cards" in message["data"]
        assert "positions" not in message["data"]


async def test_other_topics_bring_their_parts(api: Running) -> None:
    async with api.page() as page:
        assert "cards" not in (await page.next("init"))["data"]
        await page.say(action="sub", topics=["executor", "cards"])
        assert (await page.next("snapshot"))["data"]["cards"] == []


async def test_commands_come_no_faster_than_allowed(api: Running) -> None:
    async with api.page() as page:
        for _ in range(40):
            await page.say(action="update_settings", settings={"max_bet": 1})
        codes = [(await page.next("error"))["code"] for _ in range(40)]
        assert "rate_limited" in codes
