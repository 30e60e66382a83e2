"""The simulated Bot API answers as Telegram's does, and breaks on order."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from sim.telegram.main import Running, running

CHAT, GROUP = 5, -7


@pytest.fixture
async def served() -> AsyncIterator[Running]:
    async with running([CHAT, GROUP]) as api:
        yield api


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=False, timeout=10) as client:
        yield client


class Caller:
    """Calls methods of the bot and plays its people."""

    def __init__(self, served: Running, http: httpx.AsyncClient) -> None:
        self.served, self.http = served, http

    async def __call__(self, method: str, **given: object) -> httpx.Response:
        url = f"{self.served.url}/bot{self.served.bot.token}/{method}"
        return await self.http.post(url, json=given)

    async def result(self, method: str, **given: object) -> Any:
        reply = await self(method, **given)
        assert reply.status_code == httpx.codes.OK, reply.text
        return reply.json()["result"]

    async def control(self, act: str, **given: object) -> httpx.Response:
        return await self.http.post(f"{self.served.url}/control/{act}", json=given)


@pytest.fixture
def call(served: Running, http: httpx.AsyncClient) -> Caller:
    return Caller(served, http)


REFUSED = """
    text                          parse_mode  description
    a < b                         HTML        can't parse entities: Unsupported start tag
    <b>open                       HTML        Can't find end tag corresponding to b
    <b>crossed</i>                HTML        Unexpected end tag
    <marquee>x</marquee>          HTML        Unsupported start tag "marquee"
    <b></b>                       HTML        message text is empty
"""


@pytest.mark.parametrize("row", REFUSED.strip().split("\n")[1:])
async def test_a_text_that_telegram_cannot_read_is_refused(call: Caller, row: str) -> None:
    text, mode, description = (part.strip() for part in row.split("  ") if part.strip())
    reply = await call("sendMessage", chat_id=CHAT, text=text, parse_mode=mode)
    assert reply.status_code == httpx.codes.BAD_REQUEST
    assert description in reply.json()["description"]


async def test_4096_characters_are_the_most(call: Caller) -> None:
    most = "<b>" + "&lt;" * 4_096 + "</b>"
    assert await call.result("sendMessage", chat_id=CHAT, text=most, parse_mode="HTML")
    reply = await call("sendMessage", chat_id=CHAT, text="x" * 4_097)
    assert reply.json()["description"] == "Bad Request: message is too long"


async def test_an_edit_changes_the_message_and_refuses_to_change_nothing(call: Caller) -> None:
    sent = await call.result("sendMessage", chat_id=CHAT, text="one")
    where = {"chat_id": CHAT, "message_id": sent["message_id"]}
    await call.result("editMessageText", text="two", **where)
    again = await call("editMessageText", text="two", **where)
    assert "message is not modified" in again.json()["description"]
    missing = await call("editMessageText", chat_id=CHAT, message_id=1, text="x")
    assert missing.json()["description"] == "Bad Request: message to edit not found"
    assert call.served.bot.messages[0].texts == ["one", "two"]


async def test_strange_chats_tokens_and_buttons_are_refused(call: Caller) -> None:
    strange = await call("sendMessage", chat_id=99, text="x")
    assert strange.json()["description"] == "Bad Request: chat not found"
    markup = {"inline_keyboard": [[{"text": "go", "callback_data": "x" * 65}]]}
    button = await call("sendMessage", chat_id=CHAT, text="x", reply_markup=markup)
    assert button.json()["description"] == "Bad Request: BUTTON_DATA_INVALID"
    url = f"{call.served.url}/bot1:wrong/getMe"
    assert (await call.http.get(url)).status_code == httpx.codes.UNAUTHORIZED


async def test_news_is_waited_for_and_confirmed_by_the_next_offset(call: Caller) -> None:
    waiting = asyncio.create_task(call.result("getUpdates", timeout=10))
    await asyncio.sleep(0.1)
    await call.control("say", user=CHAT, text="/status")
    [update] = await waiting
    assert update["message"]["text"] == "/status"
    assert await call.result("getUpdates", offset=update["update_id"]) == [update]
    assert await call.result("getUpdates", offset=update["update_id"] + 1) == []


async def test_a_second_poller_ends_the_first_with_409(call: Caller) -> None:
    first = asyncio.create_task(call("getUpdates", timeout=10))
    await asyncio.sleep(0.1)
    await call.result("getUpdates", timeout=0)
    assert (await first).status_code == httpx.codes.CONFLICT


async def test_a_press_brings_the_buttons_data(call: Caller) -> None:
    markup = {"inline_keyboard": [[{"text": "Confirm close", "callback_data": "yes:1"}]]}
    await call.result("sendMessage", chat_id=CHAT, text="?", reply_markup=markup)
    await call.control("press", user=CHAT, label="Confirm")
    [update] = await call.result("getUpdates")
    assert update["callback_query"]["data"] == "yes:1"
    assert (await call.control("press", user=CHAT, label="Absent")).status_code == 400


@pytest.mark.parametrize(
    ("do", "status", "done"),
    [
        ("429", 429, False),
        ("error_before", 500, False),
        ("error_after", 500, True),
        ("bad_page", 502, False),
        ("blocked", 403, False),
    ],
)
async def test_a_trouble_is_answered_and_done_or_not(
    call: Caller, do: str, status: int, done: bool
) -> None:
    await call.control("script", do=do, chat=CHAT)
    assert (await call("sendMessage", chat_id=CHAT, text="x")).status_code == status
    assert bool(call.served.bot.messages) is done
    await call.result("sendMessage", chat_id=CHAT, text="y")


@pytest.mark.parametrize(
    ("do", "done"),
    [("drop_before", False), ("drop_after", True), ("hang_before", False), ("hang_after", True)],
)
async def test_a_trouble_without_an_answer(call: Caller, do: str, done: bool) -> None:
    await call.control("script", do=do, seconds=1)
    with pytest.raises(httpx.RemoteProtocolError):
        await call("sendMessage", chat_id=GROUP, text="x")
    assert bool(call.served.bot.messages) is done


async def test_updates_come_twice_and_out_of_order_on_demand(call: Caller) -> None:
    for text in ("/a", "/b"):
        await call.control("say", user=CHAT, text=text)
    await call.control("script", do="out_of_order", method="getUpdates")
    texts = [u["message"]["text"] for u in await call.result("getUpdates")]
    assert texts == ["/b", "/a"]
    newest = call.served.bot.say({"user": CHAT, "text": "/c"})
    await call.result("getUpdates", offset=newest)
    await call.control("script", do="duplicate", method="getUpdates")
    texts = [u["message"]["text"] for u in await call.result("getUpdates", offset=newest)]
    assert texts == ["/a", "/b", "/c"]


async def test_an_unknown_trouble_is_refused_by_name(call: Caller) -> None:
    reply = await call.control("script", do="dance")
    assert reply.status_code == httpx.codes.BAD_REQUEST
    assert "do: expected one of 429, " in reply.json()["error"]


async def test_a_chat_is_looked_up_and_one_that_is_not_known_is_refused(call: Caller) -> None:
    assert (await call.result("getChat", chat_id=CHAT))["first_name"] == f"User {CHAT}"
    assert (await call.result("getChat", chat_id=GROUP))["type"] == "supergroup"
    assert await call.result("sendChatAction", chat_id=CHAT, action="typing") is True
    for method in ("getChat", "sendChatAction"):
        refused = await call(method, chat_id=99)
        assert refused.json()["description"] == "Bad Request: chat not found"


async def test_the_page_shows_messages_as_text(call: Caller, http: httpx.AsyncClient) -> None:
    empty = (await http.get(call.served.url + "/")).text
    assert "No message yet" in empty
    sent = await call.result("sendMessage", chat_id=CHAT, text="<b>first</b> &lt;i&gt;",
                             parse_mode="HTML", disable_notification=True)  # fmt: skip
    await call.result("editMessageText", chat_id=CHAT, message_id=sent["message_id"],
                      text="then <script>", reply_markup={"inline_keyboard": [[
                          {"text": "Close…", "callback_data": "close:1"}]]})  # fmt: skip
    shown = (await http.get(call.served.url + "/")).text
    assert "<pre>then &lt;script&gt;</pre>" in shown
    assert "<span>Close…</span>" in shown
    assert "silent · edited 1 time" in shown
    assert "&lt;i&gt;" not in shown, "what was edited away is not shown"
