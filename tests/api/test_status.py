"""What the status tells: cash and what of it is free, as the socket does, and what is open."""

from decimal import Decimal
from pathlib import Path

from temporalio.client import Client

from domain.funds import Funds
from domain.money import usd
from domain.venue import Mode, Venue
from tests.api.harness import serving
from tests.store.builders import NOW, admitted, an_opportunity, ready

SHORT = {"polymarket": "poly", "kalshi": "kalshi"}


async def test_status_and_socket_tell_the_same_cash_and_the_same_of_it_that_is_free(
    tmp_path: Path, temporal_client: Client
) -> None:
    journal = await ready(tmp_path / "journal.sqlite3", cash="100")
    await admitted(journal)
    async with serving(journal, temporal_client) as api, api.page() as page:
        status = (await api.http.get("/api/status")).json()
        told = (await page.next("init"))["data"]["balances"]
    journal.close()
    assert status["balances"] == status["free"]
    for venue, short in SHORT.items():
        assert Decimal(status["cash"][venue]) == Decimal(told[f"{short}_exact"]) == 100
        free = Decimal(status["free"][venue])
        assert free == Decimal(told["detail"][short]["free"]) < 100, "an order is promised some"


async def test_status_lists_what_is_open_in_its_own_mode(
    tmp_path: Path, temporal_client: Client
) -> None:
    journal = await ready(tmp_path / "journal.sqlite3")
    for venue in Venue:
        await journal.record_balance(venue, Mode.PAPER, Funds(usd("1000")), NOW)
    ours = await admitted(journal, an_opportunity("1"))
    await admitted(journal, an_opportunity("2"), Mode.PAPER)
    async with serving(journal, temporal_client) as api:
        status = (await api.http.get("/api/v1/status")).json()
    journal.close()
    assert (status["mode"], status["open"]) == ("sim", [ours.arb_id])
