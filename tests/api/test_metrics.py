"""What Prometheus is told beside what executors count."""

from temporalio.client import Client

from api.metrics import exposition
from domain.venue import Mode, Venue
from store import audit
from store.alarms import Alarm
from store.journal import Journal
from store.states import Severity
from tests.api.harness import Running, serving, until, wall_ms
from tests.notify.deals import Bought, enter, hold, sell, sell_back

REPORT = {
    "sends": True,
    "looks": 3,
    "feeds": {"kalshi": {"state": "live", "age_ms": 100, "problems": 0}},
}
HEALTHY = (
    "arb_sends", "arb_opportunities_total", "arb_feed_up", "arb_book_age_seconds", "arb_enabled",
    "arb_daily_pnl_usd", "arb_messages_waiting", "arb_notify_lag_seconds",
)  # fmt: skip
"""What says that all is well, or that somebody works."""


def lines(api: Running, later_ms: int = 0) -> list[str]:
    """The exposition now, or as if nothing had been read of the journal for so long."""
    told = exposition(api.app.state.service.live, Mode.SIM, wall_ms() + later_ms)
    return told.decode().splitlines()


def value(told: list[str], name: str) -> float:
    """That of a metric without labels."""
    (found,) = [one for one in told if one.startswith(f"{name} ")]
    return float(found.split()[1])


async def test_what_is_naked_is_told_by_venue_and_reason(api: Running) -> None:
    legs = [
        {"venue": "Kalshi", "phase": "UNWINDING", "kept": False, "exposure": "4.10"},
        {"venue": "Kalshi", "phase": "UNWINDING", "kept": False, "exposure": "1.15"},
        {"venue": "Kalshi", "phase": "HOLDING", "kept": True, "exposure": "2"},
        {"venue": "Polymarket", "phase": "NEEDS_OPERATOR", "kept": False, "exposure": "3.5"},
    ]
    api.app.state.service.live.hub.board.put("unhedged", {"usd": "10.75", "legs": legs})
    told = [one for one in lines(api) if one.startswith("arb_unhedged_leg_usd{")]
    assert sorted(told) == [
        'arb_unhedged_leg_usd{reason="NEEDS_OPERATOR",venue="polymarket"} 3.5',
        'arb_unhedged_leg_usd{reason="UNWINDING",venue="kalshi"} 5.25',
        'arb_unhedged_leg_usd{reason="kept",venue="kalshi"} 2.0',
    ]
    assert "arb_unhedged_usd 10.75" in lines(api)


async def test_the_height_of_the_audit_trail_is_told(api: Running) -> None:
    async with api.page() as page:
        for bet in (11, 12):
            await page.ask("settings_changed", action="update_settings", settings={"max_bet": bet})
        (newest,) = await api.journal.read(lambda s: audit.page(s, 1))
        assert newest.id is not None
        assert newest.id >= 2
        await until(lambda: f"arb_audit_height {newest.id}.0" in lines(api))


async def test_what_was_not_seen_lately_does_not_look_healthy(api: Running) -> None:
    await api.executor_lives(**REPORT)
    seen = {one.split("{")[0].split(" ")[0] for one in lines(api)}
    assert set(HEALTHY) <= seen
    assert value(lines(api), "arb_executors") == 1
    assert value(lines(api), "arb_seen_age_seconds") < 5
    blind = lines(api, 8_000)
    assert value(blind, "arb_seen_age_seconds") >= 8
    assert value(blind, "arb_executors") == 0
    assert [one for one in blind if one.startswith(HEALTHY)] == []


async def test_what_was_wrong_when_it_was_last_seen_goes_on_to_ring(api: Running) -> None:
    await api.executor_lives(**REPORT)
    alarm = Alarm("naked", "UNHEDGED", Severity.RED, "no bid")
    await api.journal.raise_alarm(alarm, wall_ms())
    rings = 'arb_alarms{code="UNHEDGED",severity="red"} 1.0'
    await until(lambda: rings in lines(api))
    blind = lines(api, 8_000)
    assert rings in blind
    assert any(one.startswith("arb_halted{") for one in blind)
    assert any(one.startswith("arb_unanswered_oldest_seconds{") for one in blind)


async def test_a_pair_that_was_held_before_the_start_is_counted_from_then_on(
    journal: Journal, temporal_client: Client
) -> None:
    even = {Venue.POLYMARKET: Bought("3", "1.23"), Venue.KALSHI: Bought("3", "1.74")}
    arb_id = await enter(journal, even)
    await hold(journal, arb_id)
    async with serving(journal, temporal_client) as api:
        await sell(journal, arb_id, Venue.POLYMARKET, "3", "1")
        await sell_back(journal, arb_id, Venue.KALSHI, "3", "1")
        ended = 'arb_executions_total{mode="sim",outcome="ROLLED_BACK"} 1.0'
        await until(lambda: ended in lines(api))
        assert 'arb_executions_total{mode="sim",outcome="SUCCESS"} 0.0' in lines(api)
        assert value(lines(api), "arb_rollback_loss_usd_total") == 0.97
