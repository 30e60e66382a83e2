"""What is shipped to watch Lockstep with: parsed by a real parser, explained, and laid out.

That /metrics says all of it is in `tests/commands/test_watched.py`, where a system runs.
"""

import re
from itertools import combinations

import pytest

from tests.deploy.watched import ALERTS, Query, panels, queries, rules, selected
from tests.deploy.watched import named as labels_named
from tests.support.processes import ROOT

OPERATING = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
DEPLOY = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")


def anchors(page: str) -> set[str]:
    """The fragments of a page's headings."""
    headings = re.findall(r"^#+ (.+)$", page, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in headings}


@pytest.mark.parametrize("query", queries(), ids=lambda query: query.title)
def test_every_query_is_promql_and_names_its_series_by_labels_that_it_keeps(query: Query) -> None:
    found = list(selected(query.parsed))
    assert found
    kept = frozenset.intersection(*(one.grouped for one in found))
    assert labels_named(query.naming) <= kept


def test_a_query_that_is_no_promql_is_found() -> None:
    with pytest.raises(ValueError, match="unclosed"):
        _ = Query("broken", "sum by (le) (rate(arb_orders_total[5m])", "").parsed


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_every_alert_says_what_is_wrong_and_where_it_is_explained(rule: dict[str, object]) -> None:
    assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
    assert rule["labels"] in ({"severity": "page"}, {"severity": "warn"})
    assert re.fullmatch(r"\d+[sm]", str(rule.get("for", "0s")))
    annotations = rule["annotations"]
    assert isinstance(annotations, dict)
    assert set(annotations) == {"summary", "runbook"}
    page, _, fragment = annotations["runbook"].partition("#")
    assert page == "docs/operating.md"
    assert fragment in anchors(OPERATING)
    assert f"| `{rule['alert']}` |" in OPERATING


def test_the_alerts_of_the_page_are_those_of_the_file() -> None:
    told = re.findall(r"^\| `(Lockstep\w+)` \|", OPERATING, flags=re.MULTILINE)
    assert sorted(told) == sorted(rule["alert"] for rule in rules())


def test_every_metric_that_is_watched_is_described() -> None:
    used = {one.metric for query in queries() for one in selected(query.parsed)}
    ours = {re.sub(r"_(total|bucket|sum|count)$", "", name) for name in used if name[:4] == "arb_"}
    assert len(ours) >= 30
    described = set(re.findall(r"`(arb_[a-z_]+?)(?:_total)?(?:\{[^`]*\})?`", DEPLOY))
    assert ours <= described


def test_no_panel_lies_on_another() -> None:
    places = [(one["title"], one["gridPos"]) for one in panels()]
    for (_, one), (_, other) in combinations(places, 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        below = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or below, (one, other)
    assert all(one["x"] + one["w"] <= 24 for _, one in places)
    assert len({title for title, _ in places}) == len(places)


def test_a_journal_that_is_not_read_pages_by_a_number_that_grows_meanwhile() -> None:
    """What else comes of the journal is left out then, and no number rings for what is not."""
    (rule,) = [one for one in rules() if "arb_seen_age_seconds" in one["expr"]]
    limit = re.fullmatch(r"max\(arb_seen_age_seconds\) > (\d+)", rule["expr"])
    assert limit is not None
    assert 5 <= int(limit[1]) <= 10
    assert rule["labels"] == {"severity": "page"}
    assert "for" not in rule


def test_the_alert_file_names_no_machine() -> None:
    assert "://" not in ALERTS.read_text(encoding="utf-8")
