"""Ten thousand frames of every kind of nonsense: no crash, no effect, and the page stays usable."""

import asyncio
import json
import random

from websockets.exceptions import ConnectionClosed

from tests.api.harness import Page, Running

FRAMES = 10_000
CONNECTIONS = 125
WORDS = [
    "toggle_enabled", "update_settings", "close_position", "hello", "sub", "ping", "action",
    "value", "settings", "position_id", "topics", "last_seq", "ref", "min_bet", "enabled", "cards",
]  # fmt: skip


async def test_ten_thousand_frames_have_no_effect(api: Running) -> None:
    chance = random.Random(7)
    sent = 0
    for _ in range(CONNECTIONS):
        query = chance.choice(["", "?hello=1"])
        async with api.page(query) as page:
            sent += await _pester(page, chance, FRAMES // CONNECTIONS)
    assert sent == FRAMES
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


async def _pester(page: Page, chance: random.Random, number: int) -> int:
    """Send that many frames and read what is answered; a closed page is closed for a reason."""
    reading = asyncio.create_task(_read(page))
    sent = 0
    while sent < number:
        sent += 1
        try:
            await page.socket.send(_nonsense(chance))
        except ConnectionClosed:
            assert page.socket.close_code in {1003, 1007, 1008, 1009}
            sent = number
    await page.socket.close()
    await reading
    return sent


async def _read(page: Page) -> None:
    try:
        async for text in page.socket:
            message = json.loads(text)
            assert message["type"] != "error" or message["message"]
    except ConnectionClosed:
        assert page.socket.close_code in {1003, 1007, 1008, 1009}


def _nonsense(chance: random.Random) -> str | bytes:
    kind = chance.randrange(100)
    if kind == 0:
        return chance.randbytes(chance.randrange(64))
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
