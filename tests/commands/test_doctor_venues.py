"""`doctor` on both venues' addresses and credentials, and on the room that entries need: each line
that is not well says what is wrong, what to do, and the command for it."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from app.run import sim_environment
from tests.support.processes import run_sim
from tests.support.stack import run_lockstep

AWAY = "http://127.0.0.1:9"
SHOW = "lockstep config show --origin"


@pytest.fixture(scope="module")
def environment() -> Iterator[dict[str, str]]:
    """What points a process at two simulated exchanges, with their keys."""
    with run_sim("--seed", "7") as sim:
        yield asyncio.run(sim_environment(dict(sim.ready)))


def examined(folder: Path, environment: dict[str, str]) -> dict[str, dict[str, Any]]:
    """The doctor's lines by name."""
    done = run_lockstep("doctor", "--json", folder=folder, **environment)
    assert done.code == 1, "nothing else runs here"
    for name, value in environment.items():
        if any(word in name for word in ("PRIVATE_KEY", "SECRET", "PASSPHRASE")):
            assert value not in done.out + done.err
    found = {one["name"]: one for one in done.json["checks"]}
    assert all(one["repair"] for one in found.values() if one["state"] != "ok")
    return found


def a_strangers_key() -> str:
    key = generate_private_key(public_exponent=65_537, key_size=2_048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return pem.decode()


def test_accounts_that_the_venues_know_are_well(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    found = examined(tmp_path, environment)
    for venue in ("polymarket", "kalshi"):
        assert found[venue]["state"] == "ok"
        assert found[f"{venue} account"] == {
            "name": f"{venue} account",
            "state": "ok",
            "detail": "known, its cash can be read",
            "repair": "",
        }


@pytest.mark.parametrize(
    "wrong",
    [
        {"LOCKSTEP_KALSHI__KEY_ID": "00000000-0000-4000-8000-000000000000"},
        {"LOCKSTEP_KALSHI__PRIVATE_KEY_PEM": a_strangers_key()},
    ],
    ids=["an unknown key id", "another key"],
)
def test_credentials_that_kalshi_refuses_are_named_with_what_to_set(
    tmp_path: Path, environment: dict[str, str], wrong: dict[str, str]
) -> None:
    found = examined(tmp_path, environment | wrong)
    assert found["kalshi"]["state"] == "ok", "the venue itself is well"
    account = found["kalshi account"]
    assert (account["state"], account["repair"]) == ("bad", SHOW)
    assert "HTTP 401" in account["detail"]
    assert "kalshi.key_id and kalshi.private_key_file" in account["detail"]
    assert found["polymarket account"]["state"] == "ok", "one wrong account spoils no other"


@pytest.mark.parametrize(
    "wrong",
    [
        {"LOCKSTEP_POLYMARKET__PASSPHRASE": "not-the-passphrase"},
        {"LOCKSTEP_POLYMARKET__PRIVATE_KEY": "0x" + "17" * 32},
    ],
    ids=["another passphrase", "another wallet"],
)
def test_credentials_that_polymarket_refuses_are_named_with_what_to_compare(
    tmp_path: Path, environment: dict[str, str], wrong: dict[str, str]
) -> None:
    account = examined(tmp_path, environment | wrong)["polymarket account"]
    assert (account["state"], account["repair"]) == ("bad", SHOW)
    assert "401" in account["detail"]
    assert "passphrase with the account they were made for" in account["detail"]


def test_an_api_key_that_polymarket_would_have_to_make_is_not_asked_for(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    without = {
        name: value
        for name, value in environment.items()
        if name.removeprefix("LOCKSTEP_POLYMARKET__") not in ("API_KEY", "SECRET", "PASSPHRASE")
    }
    account = examined(tmp_path, without)["polymarket account"]
    assert account["state"] == "warn"
    assert "not tried: polymarket.api_key is not set" in account["detail"]


@pytest.mark.parametrize(("venue", "key"), [("polymarket", "clob_url"), ("kalshi", "base_url")])
def test_a_venue_that_cannot_be_reached_is_named_with_where_to_look(
    tmp_path: Path, environment: dict[str, str], venue: str, key: str
) -> None:
    away = {f"LOCKSTEP_{venue.upper()}__{key.upper()}": AWAY}
    found = examined(tmp_path, environment | away)
    assert found[venue]["state"] == "bad"
    assert f"{AWAY} does not answer" in found[venue]["detail"]
    assert f"{venue}.{key}" in found[venue]["detail"]
    assert found[venue]["repair"].startswith(f"curl -sv {AWAY}/")
    assert f"{venue} account" not in found, "an account is not asked for where nobody answers"


def test_the_room_that_is_needed_is_that_of_the_executor(tmp_path: Path) -> None:
    found = examined(tmp_path, {"LOCKSTEP_TRADE__DISK_MB_MIN": "1000000000"})
    folder = found["data folder"]
    assert (folder["state"], folder["repair"]) == ("bad", f"du -sh {tmp_path}/*")
    assert "1000000000 are needed (trade.disk_mb_min), so that no entry leaves" in folder["detail"]
    assert (
        examined(tmp_path, {"LOCKSTEP_TRADE__DISK_MB_MIN": "100"})["data folder"]["state"] == "ok"
    )
