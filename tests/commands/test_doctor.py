"""`doctor` on Telegram, secret files and the page files, and what `--fix` may mend by itself."""

import asyncio
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import fastjsonschema
import httpx
import pytest
from sqlmodel import Session
from temporalio.api.operatorservice.v1 import RemoveSearchAttributesRequest

from app.temporal import Server, ServerOptions, start_server, stop_server
from sim.telegram.main import TOKEN
from store import presence
from store.journal import Journal
from tests.support.places import place
from tests.support.processes import python_module
from tests.support.stack import run_lockstep
from tests.support.temporal import connect_to

CHAT = 501


@pytest.fixture
def bot_api() -> Iterator[str]:
    """A simulated Bot API that knows one chat; its address."""
    with python_module("sim.telegram.main", "--chat", str(CHAT)) as child:
        yield str(child.ready["url"])


def examined(folder: Path, base: str, chats: str, token: str = TOKEN) -> dict[str, dict[str, Any]]:
    """The doctor's lines by name."""
    done = run_lockstep(
        "doctor",
        "--json",
        folder=folder,
        LOCKSTEP_TELEGRAM__TOKEN=token,
        LOCKSTEP_TELEGRAM__BASE_URL=base,
        LOCKSTEP_TELEGRAM__CHATS=chats,
    )
    assert done.code == 1, "nothing else runs here"
    assert token not in done.out + done.err
    return {one["name"]: one for one in done.json["checks"]}


def test_a_chat_that_can_be_told_is_well(tmp_path: Path, bot_api: str) -> None:
    found = examined(tmp_path, bot_api, f"[{CHAT}]")
    assert found["telegram"] == {
        "name": "telegram",
        "state": "ok",
        "detail": "the bot is @lockstep_test_bot",
        "repair": "",
    }
    assert found[f"telegram chat {CHAT}"]["detail"] == f"User {CHAT} can be written to"


def test_a_wrong_token_is_named_with_who_knows_the_right_one(tmp_path: Path, bot_api: str) -> None:
    found = examined(tmp_path, bot_api, f"[{CHAT}]", token=f"{TOKEN}-not")
    assert found["telegram"]["state"] == "bad"
    assert "telegram.token" in found["telegram"]["detail"]
    assert "ask @BotFather" in found["telegram"]["detail"]
    assert found["telegram"]["repair"] == "lockstep config show --origin"
    assert f"telegram chat {CHAT}" not in found, "no chat is asked for with a wrong token"


def test_a_wrong_chat_is_named_with_how_its_id_is_found(tmp_path: Path, bot_api: str) -> None:
    found = examined(tmp_path, bot_api, f"[{CHAT}, -100999]")
    assert found[f"telegram chat {CHAT}"]["state"] == "ok", "one wrong chat spoils no other"
    wrong = found["telegram chat -100999"]
    assert wrong["state"] == "bad"
    assert "telegram.chats: Chat not found. Add the bot to it" in wrong["detail"]
    assert wrong["repair"] == "lockstep logs --process notifier"


def test_a_chat_that_blocked_the_bot_is_found_without_a_message(
    tmp_path: Path, bot_api: str
) -> None:
    rule = {"method": "sendChatAction", "do": "blocked", "times": 0}
    assert httpx.post(f"{bot_api}/control/script", json=rule).status_code == httpx.codes.OK
    found = examined(tmp_path, bot_api, f"[{CHAT}]")
    assert "bot was blocked by the user" in found[f"telegram chat {CHAT}"]["detail"]
    assert httpx.get(f"{bot_api}/control/state").json()["messages"] == []


def test_a_webhook_that_takes_what_people_write_is_named_by_its_host_alone(
    tmp_path: Path, bot_api: str
) -> None:
    secret = {"url": "https://hooks.example.org/a-path-that-is-a-secret"}
    assert httpx.post(f"{bot_api}/control/webhook", json=secret).status_code == httpx.codes.OK
    found = examined(tmp_path, bot_api, f"[{CHAT}]")["telegram webhook"]
    assert found["state"] == "bad"
    assert "goes to hooks.example.org" in found["detail"]
    assert "a-path-that-is-a-secret" not in found["detail"]
    assert found["repair"] == f"curl '{bot_api}/bot<token>/deleteWebhook'"


def test_a_telegram_that_is_away_is_no_wrong_token(tmp_path: Path) -> None:
    found = examined(tmp_path, "http://127.0.0.1:9", f"[{CHAT}]")
    assert "http://127.0.0.1:9 does not answer" in found["telegram"]["detail"]
    assert found["telegram"]["repair"] == "curl -sv http://127.0.0.1:9"


def test_without_a_token_telegram_is_not_missed(tmp_path: Path) -> None:
    done = run_lockstep("doctor", "--json", folder=tmp_path)
    line = next(one for one in done.json["checks"] if one["name"] == "telegram")
    assert (line["state"], "not set up" in line["detail"]) == ("ok", True)


@pytest.mark.parametrize("longest_running", ["sends", "idle"])
async def test_the_feeds_are_those_of_the_executor_that_sends(
    tmp_path: Path, longest_running: str
) -> None:
    """Whichever of two executors has run for longer."""
    later_ms = time.time_ns() // 1_000_000 + 60_000
    journal = Journal.open(place(tmp_path / "lockstep-sim.sqlite3"), later_ms)
    for name in sorted(("sends", "idle"), key=lambda one: one != longest_running):
        state = "live" if name == "sends" else "down"
        feed = {"state": state, "age_ms": 40, "reason": f"as {name} says"}
        report = {"sends": name == "sends", "feeds": {"kalshi": feed}}
        later_ms += 1

        def write(session: Session, name: str = name, now_ms: int = later_ms) -> None:
            presence.report(session, name, report, now_ms)  # noqa: B023 - written at once

        await journal.write(later_ms, write)
    journal.close()
    done = run_lockstep("doctor", "--json", folder=tmp_path)
    found = {one["name"]: one for one in done.json["checks"]}
    assert found["kalshi feed"]["state"] == "ok"
    assert "as sends says" in found["kalshi feed"]["detail"]


def test_a_file_with_secrets_that_others_read_is_closed_by_fix_alone(tmp_path: Path) -> None:
    key = tmp_path / "token"
    key.write_text(TOKEN)
    key.chmod(0o644)
    (tmp_path / "lockstep.toml").write_text(
        f'[telegram]\ntoken_file = "{key}"\nchats = [1]\nbase_url = "http://127.0.0.1:9"\n'
    )
    refused = run_lockstep("doctor", folder=tmp_path)
    assert refused.code == 3
    assert f"chmod 600 {key}" in refused.err
    assert "lockstep doctor --fix" in refused.err
    assert stat.S_IMODE(key.stat().st_mode) == 0o644
    done = run_lockstep("doctor", "--fix", "--json", folder=tmp_path)
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert [(one["name"], one["done"]) for one in done.json["repairs"]] == [("secret files", True)]
    schema = run_lockstep("schema", "doctor", folder=tmp_path).json
    fastjsonschema.compile(schema)(done.json)
    again = run_lockstep("doctor", "--fix", folder=tmp_path)
    assert "nothing here is mended by itself" in again.out


def test_fix_lets_no_entry_leave(tmp_path: Path) -> None:
    (tmp_path / "KILL").write_text("the books look wrong\n")
    done = run_lockstep("doctor", "--fix", "--json", folder=tmp_path)
    assert done.json["repairs"] == []
    assert (tmp_path / "KILL").exists()


@pytest.mark.slow
@pytest.mark.temporal
@pytest.mark.timeout(200)
def test_fix_registers_what_temporal_lacks(tmp_path: Path) -> None:
    with own_server() as server:
        asyncio.run(forget(server.address, "ArbStake"))
        address = {"LOCKSTEP_TEMPORAL__ADDRESS": server.address}
        told = run_lockstep("doctor", "--json", folder=tmp_path, **address).json
        lacking = next(one for one in told["checks"] if one["name"] == "search attributes")
        assert (lacking["state"], lacking["detail"]) == ("bad", "missing: ArbStake")
        assert lacking["repair"] == "lockstep doctor --fix"
        fixed = run_lockstep("doctor", "--fix", "--json", folder=tmp_path, **address).json
        assert [(one["name"], one["done"]) for one in fixed["repairs"]] == [
            ("search attributes", True)
        ]
        states = {one["name"]: one["state"] for one in fixed["checks"]}
        assert states["search attributes"] == "ok"


@contextmanager
def own_server() -> Iterator[Server]:
    """A server that no other test uses: one of its search attributes is taken from it."""
    server = asyncio.run(start_server(ServerOptions(ui=False)))
    try:
        yield server
    finally:
        asyncio.run(stop_server(server))


async def forget(address: str, name: str) -> None:
    """Have the server know the search attribute no longer."""
    client = await connect_to(address)
    await client.operator_service.remove_search_attributes(
        RemoveSearchAttributesRequest(namespace=client.namespace, search_attributes=[name])
    )
