"""A process that dies by SIGKILL at every statement of one act in turn.

crasher.py ACT BASE FOLDER QUERIES copies BASE to FOLDER/<n>.db, forks, and lets the child kill
itself just before the n-th statement (or commit) of ACT; it stops when a child gets through. It
prints what the queries (a JSON list) find after each child. On PostgreSQL nothing is copied: what
a dead child leaves is what the next one begins with.
"""

import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from sqlalchemy import event
from sqlmodel import Session

from domain.order import Filled
from domain.trade import Phase, TradeStatus
from domain.venue import Venue
from store import gate, intents, lifecycle
from store.engine import Database
from store.lifecycle import Conclusion
from tests.store.builders import NOW, a_fill, a_request, an_opportunity, an_order
from tests.support.places import place, plain

ENTRY = an_order(an_opportunity(), Venue.POLYMARKET)
END = Conclusion("arb-1", Phase.SETTLED, TradeStatus.SUCCESS, "resolved", {}, NOW + 90)
ACTS: dict[str, Callable[[Session], object]] = {
    "reserve": partial(gate.reserve, request=a_request()),
    "send": partial(intents.mark_sent, intent_id=ENTRY.intent_id, now_ms=NOW + 10),
    "answer": partial(
        intents.record_answer,
        intent_id=ENTRY.intent_id,
        answer=Filled("order-polymarket", (a_fill(ENTRY),)),
        now_ms=NOW + 50,
    ),
    "lock": partial(
        lifecycle.lock, arb_id="arb-1", status=TradeStatus.SUCCESS, details={}, now_ms=NOW + 60
    ),
    "conclude": partial(lifecycle.conclude, end=END),
}


def copied(base: Path, target: Path) -> Path:
    """The journal that the next child works on."""
    if isinstance(place(base), Path):
        return Path(shutil.copy(base, target))
    return base


def facts(path: Path, queries: list[str]) -> list[object]:
    """What each query finds."""
    raw = plain(place(path))
    found = [raw.execute(query).fetchone()[0] for query in queries]
    raw.close()
    return [
        None if value is None else value if isinstance(value, str) else int(value)
        for value in found
    ]


def run(path: Path, act: Callable[[Session], object], die_at: int) -> None:
    database = Database(place(path))
    seen = 0

    def count(*_: Any) -> None:
        nonlocal seen
        seen += 1
        if seen == die_at:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(database.writer, "before_cursor_execute", count)
    event.listen(database.writer, "commit", count)
    database.write_here(act)
    database.close()


def main() -> None:
    name, base, folder = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    queries = json.loads(sys.argv[4])
    found: list[list[object]] = []
    die_at, died = 0, True
    while died:
        die_at += 1
        path = copied(base, folder / f"{die_at}.db")
        child = os.fork()
        if child == 0:
            run(path, ACTS[name], die_at)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        died = os.WIFSIGNALED(status)
        if not died and os.waitstatus_to_exitcode(status) != 0:
            raise SystemExit(f"{name} failed without being killed")
        found.append(facts(path, queries))
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
