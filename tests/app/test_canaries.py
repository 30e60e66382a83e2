"""The keys of a running system, searched for in everything that it writes or shows."""

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import websockets

from app.config_sources import load_config
from app.demo.control import Control
from app.redaction import forms_of
from app.run import RunOptions, Stack, running
from app.wiring import wall_ms
from store.audit import Act
from store.journal import Journal
from tests.notify.harness import ADA, GROUP, telegram

SECONDS = 60
TROUBLES = ("error_after", "drop_after", "refuse", "kill")


def forms(stack: Stack, token: str) -> Iterator[bytes]:
    """Every secret that the processes were given, in every form."""
    keys = stack.children["sim"].ready["keys"]
    assert isinstance(keys, dict)
    secret = ("private_key", "secret", "passphrase", "api_key")
    values = [str(keys["polymarket"][name]) for name in secret]
    values += [str(keys["kalshi"]["private_key_pem"]), token]
    for value in values:
        yield from (form.encode() for form in forms_of(value))


async def trade(stack: Stack, journal: Journal) -> str:
    """Arbitrages with every kind of trouble; the id of one that is held."""
    assert stack.control_url is not None
    async with Control(stack.control_url) as control:
        for index, pair in enumerate([str(one["id"]) for one in await control.pairs()][:5]):
            if index < len(TROUBLES):
                await control.fault("polymarket", pair, "buy", TROUBLES[index])
            await control.edge(pair, 8)
    saved = await journal.settings.load()
    changes: dict[str, str | int | bool] = {"enabled": True, "max_daily_loss": "100"}
    await journal.settings.update(changes, saved.version, Act("test", "test", wall_ms()))
    deadline = time.monotonic() + SECONDS
    while True:
        held = [one for one in await journal.unfinished() if one.phase == "HOLDING"]
        if held:
            return held[0].arb_id
        assert time.monotonic() < deadline, "expected a held arbitrage, found none"
        await asyncio.sleep(0.1)


async def look_at_everything(url: str, arb_id: str) -> bytes:
    """Pages, answers, errors and the socket, as their bytes."""
    seen = []
    async with httpx.AsyncClient(base_url=url, trust_env=False) as http:
        for path in (
            "/",
            "/executor",
            "/metrics",
            "/api/v1/openapi.json",
            "/api/v1/executor/status",
            "/api/v1/audit",
            f"/api/v1/positions/{arb_id}",
            "/api/v1/nothing",
            "/api/v1/operations/x",
            "/nowhere",
        ):
            answer = await http.get(path)
            seen += [str(answer.headers).encode(), answer.content]
        bad = await http.post("/api/v1/executor/settings", content=b"{", headers={"Origin": url})
        seen.append(bad.content)
    socket = url.replace("http://", "ws://") + "/ws/executor"
    async with websockets.connect(socket, origin=websockets.Origin(url)) as live:
        deadline = time.monotonic() + 3
        while time.monotonic() < deadline:
            try:
                frame = await asyncio.wait_for(live.recv(), 1)
            except TimeoutError:
                continue
            seen.append(frame.encode() if isinstance(frame, str) else frame)
    return b"\n".join(seen)


def files(folder: Path) -> dict[str, bytes]:
    """Every file of the data directory: logs, the journal, Temporal's database."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


async def test_no_secret_is_in_anything_that_is_written_or_shown(tmp_path: Path) -> None:
    data = tmp_path / "data"
    async with telegram() as chat:
        token = chat.served.bot.token
        environment = {
            "LOCKSTEP_API__PORT": "0",
            "LOCKSTEP_LOG__LEVEL": "debug",
            "LOCKSTEP_TELEGRAM__TOKEN": token,
            "LOCKSTEP_TELEGRAM__BASE_URL": chat.served.url,
            "LOCKSTEP_TELEGRAM__CHATS": f"[{GROUP}]",
            "LOCKSTEP_TELEGRAM__USERS": json.dumps([{"id": ADA, "role": "trader"}]),
        }
        config = load_config({"data_dir": str(data)}, env=environment).config
        await chat.script("error_before", times=2)
        async with running(config, RunOptions(environment=environment, makers=False)) as stack:
            canaries = set(forms(stack, token))
            journal = Journal.open(config.database_path, wall_ms())
            try:
                arb_id = await trade(stack, journal)
            finally:
                journal.close()
            shown = await look_at_everything(stack.urls["api"], arb_id)
            await chat.shows(GROUP, arb_id, seconds=SECONDS)
            await chat.say(ADA, f"/why {arb_id}")
            await chat.shows(ADA, "EXECUTED")
            await chat.say(ADA, f"/close {arb_id}")
            await chat.shows(ADA, "Close?")
            await chat.press(ADA, "Confirm close")
            await chat.shows(ADA, f"Closing {arb_id}")
            await chat.until(
                lambda: any(arb_id in t and "CLOSED" in t for t in chat.texts(GROUP)), SECONDS
            )
        sinks = files(data) | {"shown": shown}
        sinks["telegram"] = json.dumps([m.texts for m in chat.served.bot.messages]).encode()

    # The search would find them: each sink tells of the arbitrage, and a planted key is found.
    speaking = {name for name, content in sinks.items() if arb_id.encode() in content}
    assert {"logs/executor.log", "shown", "telegram"} <= speaking
    assert any(name.startswith("lockstep-sim") for name in speaking)
    assert any(name.startswith("temporal") for name in speaking)
    assert any(form in b"x" + max(canaries, key=len) + b"x" for form in canaries)

    leaks = [
        (name, form[:12]) for name, content in sinks.items() for form in canaries if form in content
    ]
    assert leaks == []
