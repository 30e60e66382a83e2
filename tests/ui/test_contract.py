"""docs/socket.md is what the pages read: every example parses, every name is on both sides."""

import ast
import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

from api import slices
from api.cards import Cards
from app.operating.outputs import Leg
from domain.money import Usd
from domain.venue import Venue
from store.sightings import Sighting
from store.views import Balance
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


def test_the_words_for_a_leg_are_those_of_the_server_in_contract_page_and_command() -> None:
    tree = ast.parse((ROOT / "api" / "rows.py").read_text(encoding="utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    (says,) = (node for node in functions if node.name == "_leg_word")
    returned = [node.value for node in ast.walk(says) if isinstance(node, ast.Return)]
    constants = [part for one in returned if one is not None for part in ast.walk(one)]
    said = {p.value for p in constants if isinstance(p, ast.Constant) and isinstance(p.value, str)}
    (listed,) = re.findall(r"leg `state`: `([a-z, ]+)`", TEXT)
    (printed,) = re.findall(
        r"`state` is ([a-z, ]+) or (\w+)\.", " ".join((Leg.__doc__ or "").split())
    )
    module = (ROOT / "ui" / "static" / "js" / "executor" / "legs.js").read_text(encoding="utf-8")
    table = module[module.index("const LEG_STATES") : module.index("const PHASES")]
    drawn = set(re.findall(r"^  (\w+): \[", table, flags=re.MULTILINE))
    assert said == set(listed.split(", ")) == drawn == {*printed[0].split(", "), printed[1]}


def test_what_caps_the_next_trade_is_told_by_the_documented_keys() -> None:
    cash, nothing = Usd(Decimal(50)), Usd(Decimal(0))
    balance = Balance(cash, cash, nothing, nothing, nothing, as_of_ms=1)
    told = slices.balances(dict.fromkeys(Venue, balance))
    assert told is not None
    documented = by_type("init")["balances"]
    assert set(told) == set(documented)
    assert set(told["cap"]) == set(documented["cap"]) == set(states.money()["cap"])


def test_the_best_edge_is_told_by_the_documented_keys_with_the_price_of_each_leg() -> None:
    known = Cards()
    looks = [Sighting(f"p{n}", "test", 1, {"card": cards.card(n)}) for n in range(6)]
    known.take(looks, {one.pair_id for one in looks})
    told = known.best()
    assert told is not None
    assert told["prices"] == {"polymarket": "0.51", "kalshi": "0.42"}
    documented = by_type("init")["scanner"]["best_edge"]
    assert set(told) == set(documented) == set(states.executor()["scanner"]["best_edge"])
    assert set(told["prices"]) == set(documented["prices"])


def test_every_path_that_a_module_asks_for_is_documented() -> None:
    asked = set()
    for module in (ROOT / "ui" / "static" / "js").rglob("*.js"):
        asked |= set(re.findall(r"/api/v1/([a-z]+(?:/[a-z-]+)*)", module.read_text()))
    routes = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    assert asked
    assert {path for path in asked if f" /api/v1/{path}" not in routes} == set()
