"""`lockstep trades` on a journal that holds more than it prints by itself."""

from pathlib import Path

import fastjsonschema

from app.config_sources import load_config
from tests.store.builders import ready
from tests.store.test_trade_logger import locked
from tests.support.stack import run_lockstep

TRADES = 23
# The options, how many rows that prints, and what it says of the rest.
ASKED = """
    -                              20  …and 3 more: --limit
    --since 2026-09-21             23  -
    --since 2026-09-21 --limit 2    2  …and 21 more: --limit
"""


async def test_a_limit_that_cuts_is_told_and_since_has_none(tmp_path: Path) -> None:
    folder = tmp_path
    config = load_config(env={"LOCKSTEP_DATA_DIR": str(folder)}, folder=folder).config
    journal = await ready(config.database_path)
    try:
        for number in range(TRADES):
            await locked(journal, f"k{number}")
    finally:
        journal.close()
    for row in ASKED.strip().splitlines():
        options, shown, said = (part.strip() for part in row.split("  ") if part.strip())
        asked = () if options == "-" else tuple(options.split())
        done = run_lockstep("trades", *asked, folder=folder)
        assert done.code == 0, done
        rows = done.out.splitlines()[1:]
        assert (len(rows), done.err.strip() or "-") == (int(shown), said), row
    told = run_lockstep("trades", *asked, "--json", folder=folder)
    fastjsonschema.compile(run_lockstep("schema", "trades", folder=folder).json)(told.json)
    assert (len(told.json["trades"]), told.json["more"], told.err) == (
        2,
        21,
        "…and 21 more: --limit\n",
    )
