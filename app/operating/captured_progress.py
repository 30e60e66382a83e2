"""How far a replay has come, in memory and in the file that it is kept in."""

import json
import logging
import os
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from app.parquet import Value
from domain.money import Usd, price, size, usd
from domain.venue import Outcome, Venue
from markets.replay import Memory

log = logging.getLogger(__name__)

Row = dict[str, Value]


@dataclass(slots=True)
class Work:
    """Bytes and lines that are done, whether the last line was cut, what was found, and what the
    replay knows."""

    memory: Memory
    offset: int = 0
    lines: int = 0
    cut: bool = False
    rows: list[Row] = field(default_factory=list)


def keep(kept: Path, work: Work) -> bool:
    """Write it all down, whole or not at all; False where it cannot be, which the log says."""
    memory = work.memory
    told = [[*name, *map(str, terms)] for name, terms in memory.told.items()]
    state = {
        "offset": work.offset,
        "lines": work.lines,
        "rows": [_encoded(row) for row in work.rows],
        "began_ns": memory.began_ns,
        "now_ns": memory.now_ns,
        "looks": memory.looks,
        "pairs": {name: raw.decode() for name, raw in memory.pairs.items()},
        "books": {name: raw.decode() for name, raw in memory.books.items()},
        "waiting": memory.waiting,
        "told": told,
        "refused": memory.refused,
        "taken": sorted(memory.taken),
        "cash": {venue.value: str(amount) for venue, amount in memory.cash.items()},
    }
    draft = kept.with_name(f"{kept.name}.{os.getpid()}")
    try:
        draft.write_text(json.dumps(state), encoding="utf-8")
        draft.replace(kept)
    except OSError as trouble:
        log.warning("this replay could not go on later: %s: %s", kept, trouble.strerror)
        return False
    return True


def resumed(kept: Path, cash: Usd) -> Work:
    """What was kept; from the beginning where nothing was, or where it cannot be read."""
    try:
        return _decoded(json.loads(kept.read_text(encoding="utf-8")))
    except FileNotFoundError:
        pass
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as trouble:
        log.warning("%s is of no use, the replay begins anew: %s", kept, trouble)
    return Work(Memory(cash=dict.fromkeys(Venue, cash)))


def _decoded(state: dict[str, Any]) -> Work:
    memory = Memory(
        began_ns=int(state["began_ns"]),
        now_ns=int(state["now_ns"]),
        looks=int(state["looks"]),
        pairs={name: raw.encode() for name, raw in state["pairs"].items()},
        books={name: raw.encode() for name, raw in state["books"].items()},
        waiting=list(state["waiting"]),
        told={
            (pair_id, Outcome(outcome)): (size(contracts), price(one), price(other))
            for pair_id, outcome, contracts, one, other in state["told"]
        },
        refused={name: Counter(found) for name, found in state["refused"].items()},
        taken=set(state["taken"]),
        cash={Venue(name): usd(amount) for name, amount in state["cash"].items()},
    )
    rows = [_row(row) for row in state["rows"]]
    return Work(memory, int(state["offset"]), int(state["lines"]), rows=rows)


def _encoded(row: Row) -> dict[str, object]:
    """Amounts as a list of one text, so that they come back as amounts."""
    return {n: [str(value)] if isinstance(value, Decimal) else value for n, value in row.items()}


def _row(row: dict[str, Any]) -> Row:
    return {n: Decimal(value[0]) if isinstance(value, list) else value for n, value in row.items()}
