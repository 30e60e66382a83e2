"""Every Python file keeps the rules of the house; every rule is shown to bite."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.house import rules
from tests.house.repository import own_texts, sources, texts
from tests.house.rules import PYTHON_RULES, Source

Rule = Callable[[Source], Iterator[str]]

BROKEN = [
    (rules.forbidden_imports, "domain/x.py", "from store import journal"),
    (rules.forbidden_imports, "venues/x.py", "import venues.port, store.engine"),
    (rules.forbidden_imports, "store/x.py", "def f():\n    from venues.port import VenuePort"),
    (rules.forbidden_imports, "sim/x.py", "from domain.money import Usd"),
    (rules.forbidden_imports, "markets/x.py", "import workflows"),
    (rules.forbidden_imports, "activities/x.py", "from venues.kalshi.client import Kalshi"),
    (rules.forbidden_imports, "activities/x.py", "import venues"),
    (rules.forbidden_imports, "workflows/x.py", "from store import gate"),
    (rules.forbidden_imports, "api/x.py", "from activities import place"),
    (rules.forbidden_imports, "notify/x.py", "import app.config"),
    (rules.forbidden_imports, "app/x.py", "from tests.support import sim"),
    (rules.third_parties_in_domain, "domain/x.py", "import pydantic"),
    (rules.impure_domain, "domain/x.py", "import random"),
    (rules.impure_domain, "domain/x.py", "from os import environ"),
    (rules.impure_domain, "domain/x.py", "import socket"),
    (rules.impure_domain, "domain/x.py", "from datetime import datetime\ndatetime.now()"),
    (rules.impure_domain, "domain/x.py", "import datetime\ndatetime.datetime.now()"),
    (rules.impure_domain, "domain/x.py", "open('x')"),
    (rules.second_sqlite, "tests/x.py", "import sqlite3"),
    (rules.second_sqlite, "store/engine.py", "from pysqlite3 import dbapi2"),
    (rules.floats, "domain/x.py", "x = 0.5"),
    (rules.floats, "store/x.py", "x = float('0.5')"),
    (rules.floats, "venues/x.py", "def f(x: float | None) -> None: ..."),
    (rules.floats, "venues/x.py", "x = -1e3"),
    (rules.nondeterminism_in_workflows, "workflows/x.py", "import random"),
    (rules.nondeterminism_in_workflows, "workflows/x.py", "from uuid import uuid4"),
    (rules.nondeterminism_in_workflows, "workflows/x.py", "import asyncio\nasyncio.wait([])"),
    (rules.nondeterminism_in_workflows, "workflows/x.py", "from asyncio import wait"),
    (rules.nondeterminism_in_workflows, "workflows/x.py", "datetime.now()"),
    (rules.long_functions, "app/x.py", "def f():\n" + "    pass\n" * 60),
    (rules.long_functions, "app/x.py", "async def f():\n" + "    pass\n" * 60),
    (rules.long_modules, "app/x.py", "\n" * 351),
    (rules.missing_docstring, "app/x.py", "x = 1"),
]
KEPT = [
    (rules.forbidden_imports, "activities/x.py", "from venues.port import VenuePort"),
    (rules.forbidden_imports, "activities/x.py", "from venues import port"),
    (rules.forbidden_imports, "app/x.py", "import sim.main, store.engine, httpx"),
    (rules.impure_domain, "domain/x.py", "from datetime import datetime, timedelta"),
    (rules.second_sqlite, "store/driver.py", "import sqlite3"),
    (rules.floats, "domain/x.py", "x = 5"),
    (rules.floats, "markets/x.py", "pause_seconds = 0.5"),
    (rules.nondeterminism_in_workflows, "workflows/x.py", "asyncio.wait_for(x, 1)"),
    (rules.nondeterminism_in_workflows, "workflows/x.py", "workflow.now(); workflow.uuid4()"),
    (rules.long_functions, "app/x.py", "def f():\n" + "    pass\n" * 59),
]


@pytest.mark.parametrize("rule", PYTHON_RULES, ids=lambda rule: rule.__name__)
def test_every_file_keeps_the_rule(rule: Rule) -> None:
    assert [finding for source in sources() for finding in rule(source)] == []


@pytest.mark.parametrize(("rule", "path", "text"), BROKEN)
def test_a_rule_finds_what_breaks_it(rule: Rule, path: str, text: str) -> None:
    assert list(rule(Source.parse(path, text)))


@pytest.mark.parametrize(("rule", "path", "text"), KEPT)
def test_a_rule_lets_pass_what_keeps_it(rule: Rule, path: str, text: str) -> None:
    assert list(rule(Source.parse(path, text))) == []


def test_no_line_of_the_product_is_too_long() -> None:
    found = [
        finding
        for path, text in own_texts().items()
        if path.suffix in {".py", ".js", ".css", ".sh"} and path.parts[0] != "tests"
        for finding in rules.long_lines(path, text)
    ]
    assert found == []
    assert list(rules.long_lines(Path("x.py"), "#" * 101))


def test_no_file_puts_work_off_in_a_comment() -> None:
    everything = own_texts().items()
    assert [found for path, text in everything for found in rules.markers(path, text)] == []
    assert list(rules.markers(Path("x.py"), f"# {rules.MARKERS[0]}: later"))


def test_the_pages_hold_no_python() -> None:
    assert [path for path in texts() if path.parts[0] == "ui" and path.suffix == ".py"] == []
