"""The page that a campaign keeps open shows what the socket tells it, message by message."""

from fractions import Fraction

from tests.chaos.page import Page


def a_trade(arb_id: str, pnl: str | None, status: str = "SUCCESS") -> dict[str, object]:
    return {"id": arb_id, "arb_id": arb_id, "status": status, "exact": {"pnl": pnl}}


def test_a_page_follows_the_socket() -> None:
    page = Page(lambda: "http://127.0.0.1:1")
    assert page.shown() is None
    whole = {
        "enabled": True,
        "settings": {"meta": {"version": 1}},
        "positions": [{"id": "arb-1", "phase": "HOLDING"}, {"id": "arb-2", "phase": "PLACING"}],
        "trades": [a_trade("arb-1", "0.12")],
    }
    page.take({"type": "init", "data": whole})
    page.take({"type": "position_closed", "data": {"id": "arb-1"}})
    page.take({"type": "position_opened", "data": {"id": "arb-3", "phase": "HOLDING"}})
    page.take({"type": "trade_event", "data": a_trade("arb-2", None, "FAILED")})
    change = {"positions": {"upsert": [{"id": "arb-2", "phase": "RESOLVING"}], "remove": ["arb-9"]}}
    page.take({"type": "patch", "data": change | {"balances": {"poly": 1}}})
    page.take({"type": "status_changed", "data": {"enabled": False}})
    page.take({"type": "settings_changed", "data": {"meta": {"version": 2}}})
    page.take({"type": "heartbeat", "data": {"seq": 3}})
    shown = page.shown()
    assert shown is not None
    assert shown.positions == {"arb-2": "RESOLVING", "arb-3": "HOLDING"}
    assert shown.trades == {
        "arb-1": ("SUCCESS", Fraction("0.12")),
        "arb-2": ("FAILED", Fraction(0)),
    }
    assert (shown.enabled, shown.version) == (False, 2)
