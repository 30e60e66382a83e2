"""What happened, as lines of the activity log."""

from pathlib import Path

import pytest
from temporalio.client import Client

from api import story
from store.alarms import Alarm
from store.states import Severity
from store.views import Told
from tests.api.harness import Json, serving
from tests.domain.tables import rows
from tests.store.builders import admitted, ready

AT_MS = 1_790_000_000_000

# What both legs hold, and what the line says of it.
HELD = """
    polymarket  kalshi  said
    21          21      locked,_21_contracts_on_both_sides
    21.000000   21      locked,_21_contracts_on_both_sides
    21          0       held:_21_at_Polymarket,_0_at_Kalshi
    21.428571   21      held:_21.428571_at_Polymarket,_21_at_Kalshi
"""


@pytest.mark.parametrize(("polymarket", "kalshi", "said"), rows(HELD))
def test_only_what_is_even_is_said_to_be_locked(polymarket: str, kalshi: str, said: str) -> None:
    payload = {"event": "LAL vs BOS", "poly_size": polymarket, "kalshi_size": kalshi}
    line = story.of_message(Told(1, "position_opened", dict(payload), AT_MS))
    assert line is not None
    assert line["text"] == f"LAL vs BOS: {said.replace('_', ' ')}"


AMBER = "Nothing to do: it is being sold back"
RED = "It is tried again by itself. Accept loss now sells at any price, after a question"
ALARM: Json = {
    "alarm_id": 7, "code": "UNHEDGED", "severity": "red", "arb_id": "arb-77",
    "event": "MIA vs NYK", "detail": "Kalshi holds 12 more", "evidence": None, "state": "open",
}  # fmt: skip


@pytest.mark.parametrize(
    ("told", "text", "wants"),
    [
        ({}, "UNHEDGED (alarm): MIA vs NYK: Kalshi holds 12 more", RED),
        ({"severity": "amber"}, "UNHEDGED (alarm): MIA vs NYK: Kalshi holds 12 more", AMBER),
        ({"event": None}, "UNHEDGED (alarm): arb-77: Kalshi holds 12 more", RED),
        ({"state": "closed", "evidence": "sold"}, "UNHEDGED (over): MIA vs NYK: sold", None),
        (
            {"code": "CASH_DRIFT", "arb_id": None, "event": None, "detail": "$5 less"},
            "CASH_DRIFT (alarm): $5 less",
            "Entries are halted. Was cash moved, or a fee taken? Resume accepts it",
        ),
    ],
)
def test_an_alarm_says_which_trade_it_is_about_and_what_it_wants(
    told: Json, text: str, wants: str | None
) -> None:
    line = story.of_message(Told(1, "alarm", ALARM | told, AT_MS))
    assert line is not None
    assert (line["text"], line["wants"]) == (text, wants)


async def test_an_alarm_in_the_journal_is_told_with_the_question_of_its_trade(
    tmp_path: Path, temporal_client: Client
) -> None:
    journal = await ready(tmp_path / "journal.sqlite3")
    request = await admitted(journal)
    about = Alarm("unhedged:1", "UNHEDGED", Severity.RED, "10 and 0", request.arb_id)
    await journal.raise_alarm(about, AT_MS)
    title = request.opportunity.title
    async with serving(journal, temporal_client) as api, api.page() as page:
        (told,) = (await api.http.get("/api/v1/alarms")).json()["items"]
        assert (told["title"], told["wants"]) == (title, RED)
        data = (await page.next("init"))["data"]
        assert [(one["id"], one["title"], one["wants"]) for one in data["alarms"]] == [
            ("1", title, RED)
        ]
        lines = [(one["text"], one["wants"], one["arb_id"]) for one in data["events"]]
        assert (f"UNHEDGED (alarm): {title}: 10 and 0", RED, request.arb_id) in lines
    journal.close()
