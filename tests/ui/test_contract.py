"""docs/socket.md is what the pages read: every example parses, every name is on both sides."""

import json
import re
from pathlib import Path
from typing import Any

from tests.ui.support import cards, states

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "socket.md").read_text(encoding="utf-8")
EXAMPLES: list[dict[str, Any]] = [
    json.loads(block) for block in re.findall(r"```json\n(.*?)```", TEXT, flags=re.DOTALL)
]
SEED = {
    "init", "balance_update", "trade_event", "position_opened", "position_closed",
    "settings_changed", "status_changed", "error",
}  # fmt: skip
ADDED = {"resume", "snapshot", "patch", "event", "notice", "heartbeat", "bye"}


def by_type(name: str) -> dict[str, Any]:
    return next(e["data"] for e in EXAMPLES if e.get("type") == name)


def test_every_message_type_has_an_example() -> None:
    assert {e["type"] for e in EXAMPLES if "type" in e} == SEED | ADDED


def test_every_action_has_an_example() -> None:
    actions = {e["action"] for e in EXAMPLES if "action" in e}
    seed = {"toggle_enabled", "update_settings", "close_position"}
    assert actions == seed | {"hello", "sub", "ping"}


def test_the_store_takes_every_type_that_changes_state() -> None:
    store = (ROOT / "ui" / "static" / "js" / "store.js").read_text(encoding="utf-8")
    taken = set(re.findall(r"^  (\w+): \(data\)", store, flags=re.MULTILINE))
    assert taken == (SEED | ADDED) - {"error", "resume", "heartbeat", "bye"}


def test_what_the_test_server_tells_has_the_documented_keys() -> None:
    documented = by_type("init")
    assert set(states.executor()) == set(documented)
    assert set(states.settings()["meta"]) == set(documented["settings"]["meta"])
    assert set(states.money()) == set(documented["balances"])
    assert set(states.position()) <= set(by_type("position_opened"))
    assert set(states.trade(1)) == set(by_type("trade_event"))
    card = next(e for e in EXAMPLES if "unit_cost" in e)
    assert set(cards.card(0)) == set(card)
    assert set(cards.card(0)["legs"]["kalshi"]) == set(card["legs"]["kalshi"])
    details = next(e for e in EXAMPLES if "ladders" in e)
    assert set(cards.details()) == set(details)
    naked = next(e for e in EXAMPLES if "legs" in e and "usd" in e)
    assert set(states.naked_leg()) == set(naked["legs"][0])


def test_every_path_that_a_module_asks_for_is_documented() -> None:
    asked = set()
    for module in (ROOT / "ui" / "static" / "js").rglob("*.js"):
        asked |= set(re.findall(r"/api/v1/([a-z]+(?:/[a-z-]+)*)", module.read_text()))
    named = TEXT[TEXT.index("## REST") :]
    assert asked
    assert {path for path in asked if f" {path}" not in named} == set()
