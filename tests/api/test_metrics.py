"""What Prometheus is told beside what executors count."""

from api.metrics import exposition
from domain.venue import Mode
from store import audit
from tests.api.harness import Running, until, wall_ms


def lines(api: Running) -> list[str]:
    """The exposition now."""
    return exposition(api.app.state.service.live, Mode.SIM, wall_ms()).decode().splitlines()


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
