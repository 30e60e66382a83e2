"""Closing from a chat, on a real executor: what the preview says, and what its button does."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from temporalio.client import Client

from app.config_sources import load_config
from app.steward import ChatSteward
from app.wiring import wall_ms
from domain.money import show_cost
from domain.trade import Phase
from domain.venue import Venue
from notify.ladder import Ladder
from notify.ports import Preview
from store import presence, sightings
from store.audit import Act
from tests.support.processes import Child
from tests.support.trading import Trading, trading
from tests.ui.support import cards
from tests.workflows.test_operator import stuck

pytestmark = pytest.mark.temporal
ADA = 501


@pytest.fixture
async def trader(
    sim: Child, temporal_client: Client, task_queue: str, id_prefix: str, tmp_path: Path
) -> AsyncIterator[Trading]:
    """An executor without its scanner, that reports."""
    async with trading(sim.ready, temporal_client, task_queue, id_prefix, tmp_path) as running:
        now_ms = wall_ms() + 60_000
        await running.desk.journal.write(
            now_ms, lambda s: presence.report(s, "executor-1", {}, now_ms)
        )
        yield running


@pytest.fixture
def steward(trader: Trading, tmp_path: Path) -> ChatSteward:
    """The chat's hands on the same journal and server."""
    client = trader.client
    overrides: dict[str, object] = {
        "data_dir": str(tmp_path),
        "temporal.address": client.service_client.config.target_host,
        "temporal.namespace": client.namespace,
    }
    config = load_config(overrides, env={}, folder=tmp_path).config
    return ChatSteward(config, trader.desk.journal)


async def bids_seen(trader: Trading, arb_id: str, *, contracts: str) -> None:
    """Have the journal say that each leg could be sold for 0.45 when it was seen last."""
    plan = (await trader.desk.journal.arbitrage(arb_id)).opportunity
    bids = {plan.leg(venue).instrument.token: [["0.45", contracts]] for venue in Venue}
    seen = {plan.pair_id: {"card": cards.card(0), "bids": bids}}
    now_ms = wall_ms()
    await trader.desk.journal.write(now_ms, lambda s: sightings.keep(s, "test", seen, (), now_ms))


async def test_a_naked_leg_is_previewed_without_the_leg_that_holds_nothing(
    trader: Trading, steward: ChatSteward
) -> None:
    handle = await stuck(trader, "p01")
    await bids_seen(trader, handle.id, contracts="500")
    preview = await steward.preview_close(handle.id)
    sales = [line for line in preview.lines if line.startswith("Sell ")]
    (venue,) = [v for v in Venue if (await trader.desk.journal.arbitrage(handle.id)).leg(v).held]
    assert len(sales) == 1
    assert f" at {venue} for about 0.45: fee $" in sales[0]
    assert "None" not in "".join(preview.lines)
    assert preview.lines[-1] == f"It may lose at most ${preview.loss_max}"


async def test_a_position_beyond_the_bids_seen_last_is_closed_on_a_button_that_says_any_price(
    trader: Trading, steward: ChatSteward
) -> None:
    handle = await trader.hold("p01")
    await bids_seen(trader, handle.id, contracts="500")
    assert button(await steward.preview_close(handle.id)) == "⚠️ Confirm close"
    await bids_seen(trader, handle.id, contracts="1")
    preview = await steward.preview_close(handle.id)
    assert button(preview) == "⚠️ Confirm close at any price"
    told = "\n".join(preview.lines)
    assert "no figure. The bids seen last at polymarket and kalshi do not hold" in told
    state = await trader.desk.journal.arbitrage(handle.id)
    assert f"all that it cost ({show_cost(state.paid)}) may be lost" in told
    act = Act(f"telegram:{ADA}", "telegram", wall_ms())
    await steward.close(handle.id, preview.loss_max, preview.version, act)
    assert (await handle.result()).phase is Phase.FLAT


def button(preview: Preview) -> str:
    """What stands on the button that carries it out."""
    ladder = Ladder(lambda: 0.0)
    (_, (label, _)) = ladder.offer(ADA, "close", "arb-1", preview.version, preview.loss_max)
    return label
