"""REST: versions, pages, repeated commands, refusals that name every field."""

import asyncio
import re
from pathlib import Path

import pytest
from temporalio.client import Client

from domain.venue import Mode
from store import anchors, audit
from store.alarms import Alarm
from store.audit import Act
from store.journal import Journal
from store.kill_file import KillFile
from store.states import Severity
from store.tally import BOUNDS_US
from tests.api.harness import OPEN, Json, Running, serving
from tests.support.holder import LOCKS, stopped_holder
from tests.support.places import FILES, file_of, folder_of
from tests.support.waiting import until

ROOT = Path(__file__).resolve().parents[2]


async def test_settings_carry_their_version_and_are_saved_under_it(api: Running) -> None:
    read = await api.http.get("/api/v1/settings")
    assert (read.headers["etag"], read.json()["max_bet"]) == ('"1"', "10")
    headers = {"If-Match": read.headers["etag"]}
    saved = await api.http.patch("/api/v1/settings", json={"max_bet": "12.5"}, headers=headers)
    assert (saved.status_code, saved.headers["etag"]) == (200, '"2"')
    late = await api.http.patch("/api/v1/settings", json={"max_bet": "99"}, headers=headers)
    assert (late.status_code, late.json()["current"]["max_bet"]) == (412, "12.5")
    bare = await api.http.patch("/api/v1/settings", json={"max_bet": "99"})
    assert bare.status_code == 428
    assert (await api.journal.settings.load()).version == 2


async def test_every_wrong_field_is_named_at_once(api: Running) -> None:
    body = {"min_bet": "x", "max_daily_trades": "1.5", "max_roi": "0.5"}
    answer = await api.http.patch("/api/v1/settings", json=body, headers={"If-Match": '"1"'})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert {one["field"] for one in answer.json()["errors"]} == set(body)
    unknown = await api.http.patch(
        "/api/v1/settings", json={"max_bets": 1}, headers={"If-Match": '"1"'}
    )
    assert [one["field"] for one in unknown.json()["errors"]] == ["max_bets"]


async def test_a_number_in_a_body_is_read_digit_by_digit(api: Running) -> None:
    content = b'{"max_bet": 10.1}'
    headers = {"If-Match": '"1"', "Content-Type": "application/json"}
    answer = await api.http.patch("/api/v1/settings", content=content, headers=headers)
    assert answer.json()["max_bet"] == "10.1"
    for junk in (b'{"max_bet": NaN}', b"[" * 50_000, b'{"a":', b"\xff"):
        refused = await api.http.patch("/api/v1/settings", content=junk, headers=headers)
        assert refused.status_code == 422, junk[:20]


async def test_put_wants_every_limit(api: Running) -> None:
    headers = {"If-Match": '"1"'}
    answer = await api.http.put("/api/v1/settings", json={"min_bet": 5}, headers=headers)
    assert "max_daily_loss" in {one["field"] for one in answer.json()["errors"]}


async def test_history_pages_and_reverts(api: Running) -> None:
    for version, bet in enumerate((11, 12, 13), start=1):
        await api.http.patch(
            "/api/v1/settings", json={"max_bet": bet}, headers={"If-Match": f'"{version}"'}
        )
    first = (await api.http.get("/api/v1/settings/history?limit=2")).json()
    assert [one["version"] for one in first["items"]] == [4, 3]
    assert first["items"][0]["changes"] == {"max_bet": ["12", "13"]}
    rest = (await api.http.get(f"/api/v1/settings/history?cursor={first['next']}")).json()
    assert ([one["version"] for one in rest["items"]], rest["next"]) == ([2, 1], None)
    back = await api.http.post(
        "/api/v1/settings/revert", json={"version": 2}, headers={"If-Match": '"4"'}
    )
    assert (back.json()["max_bet"], back.headers["etag"]) == ("11", '"5"')
    missing = await api.http.post(
        "/api/v1/settings/revert", json={"version": 77}, headers={"If-Match": '"5"'}
    )
    assert missing.status_code == 404


async def test_a_command_said_twice_is_done_once(api: Running) -> None:
    headers = {"Idempotency-Key": "k1", "If-Match": '"1"'}
    body = {"max_bet": "11"}
    first = await api.http.patch("/api/v1/settings", json=body, headers=headers)
    again = await api.http.patch("/api/v1/settings", json=body, headers=headers)
    assert (again.status_code, again.json(), again.headers["etag"]) == (200, first.json(), '"2"')
    assert again.headers["idempotent-replay"] == "true"
    other = await api.http.patch("/api/v1/settings", json={"max_bet": "12"}, headers=headers)
    assert other.status_code == 422
    assert (await api.journal.settings.load()).version == 2


async def test_a_refused_command_may_be_said_again(api: Running) -> None:
    headers = {"Idempotency-Key": "k2"}
    body = {"value": True}
    refused = await api.http.put("/api/v1/executor/enabled", json=body, headers=headers)
    assert refused.status_code == 503
    await api.executor_lives()
    done = await api.http.put("/api/v1/executor/enabled", json=body, headers=headers)
    assert (done.status_code, done.json()["enabled"]) == (200, True)


async def test_kill_latches_and_only_the_word_releases_it(live: Running) -> None:
    killed = await live.http.post("/api/v1/executor/kill", json={"reason": "drill"})
    assert killed.status_code == 202
    assert killed.json()["run_state"]["state"] == "HALTED"
    assert (await live.journal.run_state()).reason == "drill"
    bare = await live.http.post("/api/v1/executor/resume", json={})
    assert (bare.status_code, bare.json()["errors"][0]["field"]) == (409, "confirm")
    freed = await live.http.post("/api/v1/executor/resume", json={"confirm": "RESUME"})
    assert freed.json()["run_state"]["state"] == "PAUSED"
    acts = await live.journal.read(lambda s: [(r.actor, r.action) for r in audit.page(s, 2)])
    assert acts == [("local", "resume"), ("local", "halt")]


async def test_flatten_needs_its_word(live: Running) -> None:
    answer = await live.http.post("/api/v1/executor/kill", json={"flatten": True})
    assert answer.status_code == 409
    assert not (await live.journal.run_state()).halted


async def test_real_money_needs_the_typed_word(journal: Journal, temporal_client: Client) -> None:
    async with serving(journal, temporal_client, OPEN, Mode.LIVE) as api:
        await api.executor_lives()
        for body in ({"value": True}, {"value": True, "confirm": "live"}):
            refused = await api.http.put("/api/v1/executor/enabled", json=body)
            assert refused.status_code == 409
        patched = await api.http.patch(
            "/api/v1/settings", json={"enabled": True}, headers={"If-Match": '"1"'}
        )
        assert patched.status_code == 409
        armed = await api.http.put(
            "/api/v1/executor/enabled", json={"value": True, "confirm": "LIVE"}
        )
        assert armed.json()["enabled"] is True


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/trades?limit=0",
        "/api/v1/trades?cursor=x",
        "/api/v1/trades?status=WON",
        "/api/v1/stats/equity?range=1y",
        "/api/v1/snapshot?topics=all",
        "/api/v1/audit?cursor=-1",
    ],
)
async def test_a_query_that_cannot_be_is_refused_by_field(api: Running, path: str) -> None:
    answer = await api.http.get(path)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == re.split(r"[?=]", path)[1]


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/arbitrages/arb-none",
        "/api/v1/positions/arb-none/close-preview",
        "/api/v1/operations/none",
        "/api/v1/cards/none",
        "/api/v1/nowhere",
    ],
)
async def test_what_is_not_there_is_a_problem(api: Running, path: str) -> None:
    answer = await api.http.get(path)
    assert (answer.status_code, answer.json()["status"]) == (404, 404)
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "path",
    [
        "/api/status", "/api/v1/status", "/api/v1/positions", "/api/v1/trades", "/api/v1/funnel",
        "/api/v1/stats/equity?range=all", "/api/v1/stats/latency", "/api/v1/cards",
        "/api/v1/alarms", "/api/v1/audit", "/api/v1/snapshot?topics=executor,cards",
        "/api/v1/executor/flatten/preview", "/api/v1/openapi.json", "/metrics", "/healthz",
    ],
)  # fmt: skip
async def test_an_empty_journal_can_be_read(api: Running, path: str) -> None:
    assert (await api.http.get(path)).status_code == 200


async def test_what_an_executor_counts_is_for_prometheus_alone(api: Running) -> None:
    counted = [
        ["arb_fees_usd", "counter", [["venue", "kalshi"]], [1_250_000]],
        ["temporal_slots", "gauge", [], [7]],
        ["arb_leg_seconds", "histogram", [], [0, 1, *([0] * (len(BOUNDS_US) - 1)), 4_000]],
    ]
    await api.executor_lives(host="here", tally=counted)
    (seen,) = (await api.http.get("/api/v1/status")).json()["executors"]
    assert seen.keys() == {"name", "seen_ms", "host"}
    lines = (await api.http.get("/metrics")).text.splitlines()
    assert 'arb_fees_usd_total{executor="executor-1",venue="kalshi"} 1.25' in lines
    assert 'temporal_slots{executor="executor-1"} 7.0' in lines
    assert 'arb_leg_seconds_bucket{executor="executor-1",le="0.002"} 0.0' in lines
    assert 'arb_leg_seconds_bucket{executor="executor-1",le="0.005"} 1.0' in lines
    assert 'arb_leg_seconds_bucket{executor="executor-1",le="+Inf"} 1.0' in lines
    assert 'arb_leg_seconds_sum{executor="executor-1"} 0.004' in lines
    assert "# TYPE arb_leg_seconds histogram" in lines


async def test_readiness_names_what_is_missing(api: Running) -> None:
    answer = await api.http.get("/readyz")
    assert answer.status_code == 503
    missing = {"database": True, "temporal": True, "executor": False, "feeds": False}
    assert answer.json()["checks"] == missing
    for states, ready in (
        ({}, False),
        ({"polymarket": "live"}, False),
        ({"polymarket": "live", "kalshi": "stale"}, False),
        ({"polymarket": "down", "kalshi": "live"}, False),
        ({"polymarket": "live", "kalshi": "delayed"}, True),
    ):
        feeds = {venue: {"state": state, "age_ms": 40} for venue, state in states.items()}
        await api.executor_lives(feeds=feeds)
        await api.app.state.service.live._survey()
        answer = await api.http.get("/readyz")
        assert (answer.status_code == 200, answer.json()["checks"]["feeds"]) == (ready, ready)
        assert answer.json()["checks"]["executor"] is True


async def test_static_files_are_served_under_their_version_for_good(api: Running) -> None:
    page = (await api.http.get("/executor")).text
    scripts = re.findall(r'(?:src|href)="(/static/[^"]+)"', page)
    assert len(scripts) > 10
    for path in scripts:
        answer = await api.http.get(path)
        assert answer.status_code == 200, path
        assert "immutable" in answer.headers["cache-control"]


async def test_every_route_is_documented(api: Running) -> None:
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    schema = (await api.http.get("/api/v1/openapi.json")).json()
    routes = [
        f"{method.upper()} {path}" for path, item in schema["paths"].items() for method in item
    ]
    assert len(routes) > 30
    assert [route for route in routes if f"`{route}`" not in text] == []
    named = re.findall(r"`((?:GET|POST|PUT|PATCH) /[^`]*)`", text)
    assert sorted(set(named) - set(routes)) == []


@FILES
@pytest.mark.parametrize("lock", LOCKS)
async def test_a_stop_works_while_a_stopped_process_holds_the_journal(
    api: Running, lock: str
) -> None:
    path = file_of(api.journal.database.place)
    file = KillFile(path.parent)
    stops = {
        "killed": api.http.post("/api/v1/executor/kill", json={"reason": "killed"}, timeout=20),
        "disabled": api.http.put("/api/v1/executor/enabled", json={"value": False}, timeout=20),
    }
    for reason, stop in stops.items():
        with stopped_holder(path, lock):
            stopping = asyncio.create_task(stop)
            await until(lambda: file.reason() is not None, "the file does not stop entries")
            assert not stopping.done(), "the journal is still waited for"
            assert reason in str(file.reason())
            answer = (await stopping).json()
            assert answer["run_state"]["state"] == "HALTED"
            assert str(file.path) in answer["text"]
        assert file.remove()


@FILES
async def test_a_save_that_disables_says_what_holds_and_what_was_not_saved(api: Running) -> None:
    path = file_of(api.journal.database.place)
    with stopped_holder(path, "IMMEDIATE"):
        answer = await api.http.patch(
            "/api/v1/settings", json={"enabled": False}, headers={"If-Match": '"1"'}, timeout=20
        )
    assert answer.status_code == 503
    assert "No entry leaves, and the settings were not saved" in answer.json()["detail"]
    assert (await api.journal.settings.load()).version == 1


async def test_a_resume_removes_the_kill_file(api: Running) -> None:
    file = KillFile(folder_of(api.journal.database.place))
    file.put("by hand")
    await api.http.post("/api/v1/executor/resume", json={"confirm": "RESUME"})
    assert file.reason() is None


async def test_a_restored_journal_is_not_resumed_past_its_confirmation(api: Running) -> None:
    act = Act("ada", "test", 1)
    await api.journal.write(1, lambda s: anchors.restored(s, "expected order x, found none", act))
    file = KillFile(folder_of(api.journal.database.place))
    file.put("by hand")
    answer = await api.http.post("/api/v1/executor/resume", json={"confirm": "RESUME"})
    assert answer.status_code == 409
    assert (
        "expected order x, found none): see `lockstep confirm-restore`" in answer.json()["detail"]
    )
    assert (await api.journal.run_state()).halted
    assert file.remove(), "nothing was released"


async def test_an_alarm_is_acknowledged_and_closes_on_a_word_only_where_it_waits_for_one(
    api: Running,
) -> None:
    codes = {"UNHEDGED": 409, "RESOLUTION_MISMATCH": 200}
    for code, closing in codes.items():
        number = await api.journal.raise_alarm(Alarm(code, code, Severity.RED, "odd"), 1)
        path = f"/api/v1/alarms/{number}/acknowledge"
        answer = await api.http.post(path, json={"evidence": "claim 7 was paid"})
        assert answer.status_code == closing, answer.text
        assert (await api.http.post(path)).status_code == 200
    items = (await api.http.get("/api/v1/alarms")).json()["items"]
    assert all(one["acknowledged_at"] for one in items)
    assert [one["code"] for one in items if one["closed_at"] is None] == ["UNHEDGED"]


async def test_an_alarm_is_on_the_page_while_it_is_open(api: Running) -> None:
    async with api.page() as page:
        await page.say(action="hello", topics=["executor"])
        await page.next("init")

        async def patched() -> Json:
            while "alarms" not in (told := (await page.next("patch"))["data"]):
                pass
            change: Json = told["alarms"]
            return change

        number = await api.journal.raise_alarm(Alarm("k", "DISK", Severity.RED, "full"), 1)
        [row] = (await patched())["upsert"]
        assert (row["id"], row["code"]) == (str(number), "DISK")
        await api.journal.close_alarm("k", "there is room", 2)
        assert await patched() == {"upsert": [], "remove": [row["id"]]}
