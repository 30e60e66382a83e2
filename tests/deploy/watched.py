"""The dashboard and the alert rules as Grafana and Prometheus read them."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import promql_parser as promql

from tests.deploy.compose import read_yaml
from tests.support.processes import ROOT

DASHBOARD = ROOT / "deploy" / "grafana" / "lockstep.json"
ALERTS = ROOT / "deploy" / "prometheus" / "alerts.yml"
INTERVAL = "$__rate_interval"


@dataclass(frozen=True, slots=True)
class Query:
    """One query: what it is called, its PromQL, and the text that names its series."""

    title: str
    text: str
    naming: str

    @property
    def parsed(self) -> Any:
        """Its tree; ValueError where it is no PromQL."""
        return promql.parse(self.text.replace(INTERVAL, "5m"))


@dataclass(frozen=True, slots=True)
class Selected:
    """What a query reads: a metric, the values it wants of labels, the labels it groups by."""

    metric: str
    wanted: tuple[tuple[str, str], ...]
    grouped: frozenset[str]


def panels() -> list[dict[str, Any]]:
    """Every panel of the dashboard, rows not among them."""
    told = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    return [panel for panel in told["panels"] if panel["type"] != "row"]


def rules() -> list[dict[str, Any]]:
    """Every alert rule."""
    return [rule for group in read_yaml(ALERTS)["groups"] for rule in group["rules"]]


def queries() -> list[Query]:
    """Of both files."""
    drawn = [
        Query(f"{panel['title']} {target['refId']}", target["expr"], target["legendFormat"])
        for panel in panels()
        for target in panel["targets"]
    ]
    return drawn + [
        Query(rule["alert"], rule["expr"], json.dumps(rule["annotations"])) for rule in rules()
    ]


def selected(tree: Any, grouped: frozenset[str] = frozenset()) -> Iterator[Selected]:
    """Every selector of a parsed query. A branch that this does not know is an error."""
    match tree:
        case promql.VectorSelector():
            matchers = tree.matchers.matchers
            assert all(one.op == promql.MatchOp.Equal for one in matchers), str(tree)
            assert tree.name is not None, f"{tree} names no metric"
            wanted = tuple((one.name, one.value) for one in matchers)
            yield Selected(tree.name, wanted, grouped)
        case promql.MatrixSelector():
            yield from selected(tree.vector_selector, grouped)
        case promql.AggregateExpr():
            assert tree.modifier is None or tree.modifier.type == promql.AggModifierType.By
            more = tree.modifier.labels if tree.modifier else []
            yield from selected(tree.expr, grouped | set(more))
        case promql.Call():
            for argument in tree.args:
                yield from selected(argument, grouped)
        case promql.BinaryExpr():
            yield from selected(tree.lhs, grouped)
            yield from selected(tree.rhs, grouped)
        case promql.ParenExpr():
            yield from selected(tree.expr, grouped)
        case promql.NumberLiteral():
            return
        case _:
            raise AssertionError(f"expected a known expression, found {tree}")


def named(text: str) -> set[str]:
    """The labels that a legend or an annotation shows."""
    return set(re.findall(r"\{\{ *(?:\$labels\.)?(\w+) *\}\}", text)) - {"value"}
