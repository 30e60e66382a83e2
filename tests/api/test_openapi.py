"""Requests made up from our own OpenAPI, by nobody, a reader and a trader: none makes the API fail,
and none has an effect that its sender may not have."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import Session
from temporalio.client import Client

from domain.trade import Phase
from store import credentials
from store.audit import Act
from store.credentials import CredentialKind
from store.journal import Journal
from store.states import Scope
from tests.api.harness import Running, serving, wall_ms, with_login
from tests.support.processes import ROOT
from tests.support.trading import Trading

pytestmark = [pytest.mark.temporal, pytest.mark.slow, pytest.mark.timeout(300)]

OPEN = {"GET /healthz", "GET /readyz"}
"""Routes that answer to everybody."""
BACKGROUND = {"executors", "venue_balances", "sender_leases"}
"""Tables that an executor writes while nobody asks for anything."""
ROUTES_LEAST = 30
FRESH = {venue: {"state": "live", "age_ms": 40} for venue in ("polymarket", "kalshi")}
Effects = dict[str, Any]


@asynccontextmanager
async def before_a_trader(trader: Trading, client: Client) -> AsyncIterator[Running]:
    """The API, with login, of an executor that holds a position and reports every second."""
    async with serving(trader.desk.journal, client, with_login()) as api:
        await api.executor_lives(feeds=FRESH)
        reporting = asyncio.create_task(_report(api))
        try:
            yield api
        finally:
            reporting.cancel()


async def _report(api: Running) -> None:
    while True:
        await api.executor_lives(feeds=FRESH)
        await asyncio.sleep(1)


async def effects(trader: Trading) -> Effects:
    """Every row of the journal that somebody's act may change, and every order at a venue."""
    rows: Effects = await trader.desk.journal.read(_rows)
    for venue, ledger in (await trader.control.state()).items():
        rows[venue] = ledger["orders"]
    return rows


def _rows(session: Session) -> Effects:
    connection = session.connection()
    names = set(sa.inspect(connection).get_table_names()) - BACKGROUND
    found = {
        name: [
            tuple(row)
            for row in connection.execute(sa.select(sa.text("*")).select_from(sa.text(name)))
        ]
        for name in sorted(names)
    }
    # A wrong password leaves a note of itself, and many of them an alarm with its message: those
    # are the effects that nobody may have.
    found["audit"] = [row for row in found["audit"] if "login_refused" not in row]
    for name in ("alarms", "outbox"):
        found[name] = [row for row in found[name] if "LOGIN_LOCKOUT" not in str(row)]
    return found


async def token(journal: Journal, scope: Scope) -> dict[str, str]:
    """The header of a new bearer token."""
    act = Act("test", "test", wall_ms())
    secret = f"secret-{scope}"
    await journal.write(
        act.at_ms,
        lambda s: credentials.add(s, secret, CredentialKind.TOKEN, scope.value, scope, act),
    )
    return {"Authorization": f"Bearer {secret}"}


async def storm(api: Running, headers: dict[str, str], known: str) -> set[tuple[str, int]]:
    """Send made-up requests to every route: which of them answered with which status."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.api.made_up", api.url, known),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, complaint = await process.communicate(json.dumps(headers).encode())
    assert process.returncode == 0, complaint.decode()
    return {(label, status) for label, status, _ in json.loads(said)}


@pytest.mark.parametrize("scope", [None, Scope.READ], ids=["anonymous", "reader"])
async def test_no_made_up_request_has_an_effect_without_authority(
    trader: Trading, temporal_client: Client, scope: Scope | None
) -> None:
    held = await trader.trade("p01")
    assert held.phase is Phase.HOLDING
    headers = {} if scope is None else await token(trader.desk.journal, scope)
    async with before_a_trader(trader, temporal_client) as api:
        before = await effects(trader)
        answers = await storm(api, headers, held.arb_id)
        assert await effects(trader) == before
    assert len({label for label, _ in answers}) > ROUTES_LEAST
    done = {label for label, status in answers if status < 400}
    if scope is None:
        assert done == OPEN
    else:
        assert {f"GET /api/v1/{name}" for name in ("settings", "trades", "positions")} <= done
        assert {label for label in done if not label.startswith("GET ")} <= {"POST /api/v1/logout"}


async def test_no_made_up_request_of_a_trader_makes_the_api_fail(
    trader: Trading, temporal_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Otherwise nearly every command would be answered with 429, and nothing behind it be tried.
    monkeypatch.setattr("api.auth.COMMAND_BURST", 1_000_000)
    held = await trader.trade("p01")
    headers = await token(trader.desk.journal, Scope.TRADE)
    async with before_a_trader(trader, temporal_client) as api:
        answers = await storm(api, headers, held.arb_id)
        assert (await api.http.get("/readyz")).json()["ready"] is True
    assert len({label for label, _ in answers}) > ROUTES_LEAST
    done = {label for label, status in answers if status < 400}
    assert {f"POST /api/v1/executor/{name}" for name in ("pause", "kill")} <= done
    assert "POST /api/v1/executor/resume" not in done
