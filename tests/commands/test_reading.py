"""`positions`, `trades`, `show`, `settings`: the installed command against a running system."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import fastjsonschema
import pytest

from app.commands.reading import parse_since
from app.errors import UsageError
from tests.support.stack import StackUnderTest, run_lockstep

pytestmark = [pytest.mark.slow, pytest.mark.temporal, pytest.mark.timeout(300)]


def test_a_held_pair_is_a_position(stack: StackUnderTest, held: dict[str, Any]) -> None:
    told = stack.published("positions", "positions")
    mine = next(one for one in told["positions"] if one["id"] == held["id"])
    assert [leg["venue"] for leg in mine["legs"]] == ["polymarket", "kalshi"]
    assert {leg["outcome"] for leg in mine["legs"]} == {"YES", "NO"}
    assert mine["legs"][0]["held"] >= mine["legs"][1]["held"]
    assert mine["temporal"].startswith("http://127.0.0.1")
    assert mine["temporal"].endswith(f"/namespaces/default/workflows/{held['id']}")
    plain = stack.ok("positions").out
    assert plain.splitlines()[0].split()[:3] == ["id", "title", "phase"]
    assert held["id"] in plain


def test_a_trade_is_listed_with_what_it_guarantees(
    stack: StackUnderTest, held: dict[str, Any]
) -> None:
    told = stack.published("trades", "trades")
    mine = next(one for one in told["trades"] if one["id"] == held["id"])
    assert (mine["status"], mine["final"]) == ("SUCCESS", False)
    assert float(mine["pnl"]) > 0
    assert held["id"] in stack.ok("trades", "--since", "1h").out
    others = stack.ok("trades", "--status", "ROLLED_BACK", "--json").json["trades"]
    assert {one["status"] for one in others} <= {"ROLLED_BACK"}
    wrong = stack.run("trades", "--since", "yesterday")
    assert (wrong.code, wrong.out) == (2, "")
    assert "--since: expected 30m, 2h, 7d or a date" in wrong.err


def test_show_tells_legs_timeline_orders_and_where_to_look(
    stack: StackUnderTest, held: dict[str, Any]
) -> None:
    told = stack.published("show", "show", held["id"])
    assert next(one["kind"] for one in told["timeline"]) in ("reserved", "admitted")
    assert any("HOLDING" in one["said"] for one in told["timeline"])
    assert {one["state"] for one in told["orders"]} == {"filled"}
    assert all(one["answer"].startswith("filled as order") for one in told["orders"])
    plain = stack.ok("show", held["id"]).out
    assert f"Temporal: {told['position']['temporal']}" in plain


def test_an_id_may_be_shortened_and_a_wrong_one_names_the_nearest(
    stack: StackUnderTest, held: dict[str, Any]
) -> None:
    short = held["id"].removeprefix("arb-")[:12]
    assert stack.shown(short)["position"]["id"] == held["id"]
    wrong = stack.run("show", held["id"][:-4] + "zzzz")
    assert (wrong.code, wrong.out) == (2, "")
    assert f"did you mean {held['id']}?" in wrong.err
    other = stack.open()
    several = stack.run("show", "arb-")
    assert several.code == 2
    assert "may be any of" in several.err
    assert held["id"] in several.err
    assert other["id"] in several.err


def test_settings_are_read_changed_compared_and_taken_back(stack: StackUnderTest) -> None:
    stack.let_trade()
    before = stack.published("settings-get", "settings", "get")
    assert stack.ok("settings", "get", "max_bet").out.strip() == before["settings"]["max_bet"]
    preview = stack.published(
        "settings-set", "settings", "set", "min_roi=1.25", "max_roi=7", "--dry-run"
    )
    assert preview["saved"] is False
    assert preview["changes"]["min_roi"] == [before["settings"]["min_roi"], "1.25"]
    assert stack.ok("settings", "get", "--json").json == before
    saved = stack.ok("settings", "set", "min_roi=1.25", "--json").json
    assert saved["saved"] is True
    assert saved["after_version"] == before["version"] + 1
    difference = stack.published("settings-diff", "settings", "diff")
    assert difference["changes"] == {"min_roi": [before["settings"]["min_roi"], "1.25"]}
    told = stack.published("settings-history", "settings", "history")
    assert (told["versions"][0]["origin"], told["versions"][0]["version"]) == (
        "cli",
        saved["after_version"],
    )
    back = stack.published("settings-revert", "settings", "revert", str(before["version"]))
    assert back["changes"] == {"min_roi": ["1.25", before["settings"]["min_roi"]]}
    assert stack.ok("settings", "get", "--json").json["settings"] == before["settings"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("set", "max_bte=5"), "max_bte is no setting, expected one of"),
        (("set", "max_bet=lots"), "max_bet is no exact amount"),
        (("set", "max_bet=1", "min_bet=5"), "min_bet"),
        (("set", "max_bet"), "expected such as max_bet=50, found 'max_bet'"),
        (("set", "enabled=true"), "`lockstep resume`"),
        (("revert", "999"), "`lockstep settings history` lists them"),
        (("get", "bets"), "expected one of enabled"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_by_name(
    stack: StackUnderTest, arguments: tuple[str, ...], said: str
) -> None:
    version = stack.ok("settings", "get", "--json").json["version"]
    done = stack.run("settings", *arguments)
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert stack.ok("settings", "get", "--json").json["version"] == version


def test_where_nothing_ever_ran_there_is_nothing_to_read(tmp_path: Path) -> None:
    done = run_lockstep("positions", folder=tmp_path)
    assert (done.code, done.out) == (4, "")
    assert "nothing has run there in mode sim. Start `lockstep run`" in done.err
    assert list(tmp_path.iterdir()) == [], "looking makes nothing"


def test_the_configuration_has_a_schema(tmp_path: Path) -> None:
    done = run_lockstep("config", "schema", folder=tmp_path)
    check = fastjsonschema.compile(json.loads(done.out))
    check({"mode": "sim", "api": {"port": 8321}})
    with pytest.raises(fastjsonschema.JsonSchemaException):
        check({"mode": "simulation"})
    shown = run_lockstep("config", "show", "--json", folder=tmp_path).json
    fastjsonschema.compile(run_lockstep("schema", "config-show", folder=tmp_path).json)(shown)


def test_a_span_of_time_or_a_date_is_a_beginning() -> None:
    now = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
    assert parse_since("2h", now) == "2026-11-27T10:00:00.000Z"
    assert parse_since("30m", now) == "2026-11-27T11:30:00.000Z"
    assert parse_since("2026-11-20", now) == "2026-11-20T00:00:00.000Z"
    assert parse_since("2026-11-20T01:00:00+01:00", now) == "2026-11-20T00:00:00.000Z"
    with pytest.raises(UsageError):
        parse_since("2 weeks", now)
