"""The notifier as a process: how it starts, what stops it, and that it holds up nobody."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.config_sources import load_config
from app.errors import ConfigError
from app.wiring import wall_ms
from store.audit import Act
from store.journal import Journal
from tests.notify.harness import GROUP, Telegram
from tests.support.places import place, told
from tests.support.processes import ROOT, python_module

CHATS = {"LOCKSTEP_TELEGRAM__CHATS": f"[{GROUP}]"}


def environment(here: Telegram, folder: Path) -> dict[str, str]:
    return {
        "LOCKSTEP_DATA_DIR": str(folder),
        "LOCKSTEP_TELEGRAM__TOKEN": here.served.bot.token,
        "LOCKSTEP_TELEGRAM__BASE_URL": here.served.url,
        **told(place(folder / "lockstep-sim.sqlite3")),
        **CHATS,
    }


def notifier(folder: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """The process to its end."""
    return subprocess.run(
        [sys.executable, "-m", "app.process", "notifier"],
        cwd=ROOT,
        env={**os.environ, "LOCKSTEP_DATA_DIR": str(folder), **more},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


async def test_it_sends_what_another_process_wrote(
    here: Telegram, journal: Journal, tmp_path: Path
) -> None:
    with python_module("app.process", "notifier", environment=environment(here, tmp_path)) as child:
        await here.shows(GROUP, "ALIVE")
        await journal.halt("from elsewhere", Act("ada", "test", wall_ms()))
        await here.shows(GROUP, "from elsewhere")
        second = notifier(tmp_path, **environment(here, tmp_path))
        assert second.returncode == 4
        assert f"another notifier runs on {tmp_path}" in second.stderr
        child.kill()
        await journal.resume(Act("ada", "test", wall_ms()))
    with python_module("app.process", "notifier", environment=environment(here, tmp_path)):
        await here.shows(GROUP, "RESUMED")


def test_without_a_token_it_says_how_to_get_one(tmp_path: Path) -> None:
    done = notifier(tmp_path)
    assert done.returncode == 3
    assert "error: telegram.token: expected the token of a bot, found none" in done.stderr
    assert "docs/telegram.md" in done.stderr


WRONG = """
    TOKEN          hello                                  a bot token such as 123456:AAE…
    CHATS          "x"                                    telegram.chats
    BASE_URL       http://evil.example                    expected https://, or http:// on this
    USERS          [{"id": 0}]                            telegram.users.0.id
    USERS          [{"id": 5, "role": "owner"}]           'viewer' or 'trader'
    HEARTBEAT_HOURS  0                                    telegram.heartbeat_hours
    DAILY_HOUR     24                                     telegram.daily_hour
"""


@pytest.mark.parametrize("row", WRONG.strip().split("\n"))
def test_wrong_settings_are_named_with_what_was_expected(row: str, tmp_path: Path) -> None:
    name, value, expected = (part.strip() for part in row.split("  ") if part.strip())
    with pytest.raises(ConfigError) as error:
        load_config(env={f"LOCKSTEP_TELEGRAM__{name}": value}, folder=tmp_path)
    assert expected in str(error.value)
    assert "hello" not in str(error.value)


def test_a_token_without_a_chat_is_refused(tmp_path: Path) -> None:
    token = {"LOCKSTEP_TELEGRAM__TOKEN": "123456:" + "x" * 30}
    with pytest.raises(ConfigError, match=r"telegram\.chats: expected the id of a chat at least"):
        load_config(env=token, folder=tmp_path)
