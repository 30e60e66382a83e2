"""Selling everything: what it would bring, and of which mode it is."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from temporalio.client import Client

from api.auth import Caller
from app.links import wall_ms
from domain.funds import Funds
from domain.money import usd
from domain.venue import Mode, Venue
from store import sightings
from store.journal import Journal
from store.states import Scope
from tests.api.harness import Running, serving
from tests.store.builders import NOW, ready
from tests.store.test_trade_logger import locked
from tests.ui.support import cards

ANN = Caller("ann", "test", Scope.ADMIN)


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    """A held pair in each of two modes, which `database.path` may put into one journal."""
    opened = await ready(tmp_path / "journal.db")
    for venue in Venue:
        await opened.record_balance(venue, Mode.LIVE, Funds(usd("1000")), NOW)
    await locked(opened, "played")
    await locked(opened, "real", Mode.LIVE)
    plan = (await opened.arbitrage("arb-played")).opportunity
    bids = {plan.leg(venue).instrument.token: [["0.30", "500"]] for venue in Venue}
    looks = {plan.pair_id: {"card": cards.card(0), "bids": bids}}
    seen_ms = wall_ms()
    await opened.write(NOW, lambda s: sightings.keep(s, "test", looks, (), seen_ms))
    yield opened
    opened.close()


@pytest.fixture
async def api(journal: Journal, temporal_client: Client) -> AsyncIterator[Running]:
    """The API in mode sim, without an executor."""
    async with serving(journal, temporal_client) as running:
        yield running


async def test_everything_that_is_sold_is_what_the_preview_counts(api: Running) -> None:
    preview = await api.http.get("/api/v1/executor/flatten/preview")
    assert preview.json()["positions"] == 1, preview.json()
    told = await api.app.state.service.steering.flatten(ANN, NOW)
    assert [(one["arb_id"], one["state"]) for one in told] == [("arb-played", "failed")]
    assert "executor is not running" in told[0]["detail"]
