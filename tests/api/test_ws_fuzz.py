"""Ten thousand frames of every kind of nonsense: no crash, no effect, and the page stays usable."""

import asyncio
import json
import random
from collections import Counter
from dataclasses import dataclass, field

import pytest
from websockets.exceptions import ConnectionClosed

from api.frames import FRAME_MAX
from tests.api.harness import Page, Running

FRAMES = 10_000
FRAMES_PER_PAGE = 80
"""Fewer than the hundred malformed ones that close a page."""
READ_SECONDS = 60
LAST = '{"action": "nothing that there is", "ref": "last"}'
WORDS = [
    "toggle_enabled", "update_settings", "close_position", "hello", "sub", "ping", "action",
    "value", "settings", "position_id", "topics", "last_seq", "ref", "min_bet", "enabled", "cards",
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_ten_thousand_frames_have_no_effect(api: Running) -> None:
    chance = random.Random(7)
    sent, answered, codes = 0, 0, Counter[int]()
    while sent < FRAMES:
        query = chance.choice(["", "?hello=1"])
        async with api.page(query) as page:
            told = await _pester(page, chance, min(FRAMES_PER_PAGE, FRAMES - sent))
        sent += told.sent
        answered += told.errors
        codes[page.socket.close_code or 0] += 1
    assert sent == FRAMES
    assert answered > FRAMES // 2, "what is nonsense is told so"
    assert set(codes) == {1000, 1003, 1009}
    saved = await api.journal.settings.load()
    state = await api.journal.run_state()
    assert (saved.version, state.halted, state.enabled) == (1, False, False)
    async with api.page() as page:
        await page.next("init")
        answer = await page.ask(action="update_settings", settings={"max_bet": 11})
        while answer["type"] == "error":
            assert answer["code"] == "rate_limited"
            await asyncio.sleep(0.2)
            answer = await page.ask(action="update_settings", settings={"max_bet": 11})
    assert not api.app.state.service.live.failed.is_set()


@dataclass(slots=True)
class Told:
    """What one page went through: frames sent, errors answered. `over` is set once the last frame
    was answered or nothing more can be."""

    sent: int = 0
    errors: int = 0
    over: asyncio.Event = field(default_factory=asyncio.Event)


async def _pester(page: Page, chance: random.Random, number: int) -> Told:
    """Send that many frames, wait until all were read, and end as a page should not or should."""
    told = Told()
    reading = asyncio.create_task(_read(page, told))
    for _ in range(number - 1):
        await page.socket.send(_nonsense(chance))
    await page.socket.send(LAST)
    # A page that left at once would take its unread frames with it.
    async with asyncio.timeout(READ_SECONDS):
        await told.over.wait()
    told.sent = number
    match chance.randrange(3):
        case 0:
            await page.socket.send(chance.randbytes(chance.randrange(64)))
        case 1:
            await page.socket.send("x" * (FRAME_MAX + 1))
        case _:
            await page.socket.close()
    await reading
    return told


async def _read(page: Page, told: Told) -> None:
    try:
        async for text in page.socket:
            message = json.loads(text)
            if message["type"] == "error":
                assert message["message"], message
                told.errors += 1
                if message.get("ref") == "last":
                    told.over.set()
    except ConnectionClosed:
        assert page.socket.close_code in {1003, 1009}
    assert told.over.is_set(), f"closed with {page.socket.close_code} before all was read"


def _nonsense(chance: random.Random) -> str:
    kind = chance.randrange(100)
    if kind < 30:
        return "".join(chr(chance.randrange(32, 0x2FF)) for _ in range(chance.randrange(80)))
    if kind < 40:
        return "[" * chance.randrange(1, 12_000)
    message = {chance.choice(WORDS): _value(chance, 3) for _ in range(chance.randrange(4))}
    if kind < 90:
        # Never a frame that is right: nothing may take effect.
        message["action"] = chance.choice([*WORDS[:3], "unknown", 7, None, ["ping"]])
        message |= {"value": "yes", "settings": {"min_bet": "x"}, "position_id": "nobody"}
    return json.dumps(message)


def _value(chance: random.Random, depth: int) -> object:
    plain: list[object] = [
        None, True, 0, -1, 2**70, 1e308, "", "x" * 300, "\u202e<b>", chance.choice(WORDS),
    ]  # fmt: skip
    if depth == 0 or chance.random() < 0.7:
        return chance.choice(plain)
    if chance.random() < 0.5:
        return [_value(chance, depth - 1) for _ in range(chance.randrange(3))]
    return {chance.choice(WORDS): _value(chance, depth - 1) for _ in range(chance.randrange(3))}
