"""Measure what has a limit: python -m tests.bench [--only NAME] [--trades N] [--cluster]. Prints
one JSON object; ends with an error where a trade did not do what it should. The whole of it
measures several executors on Temporal's own server too, where this machine has one."""

import argparse
import json
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

import uvloop

from app.responsive import stay_responsive
from app.run import end_on_sigterm
from tests.bench import (
    bench_gate,
    book_to_send,
    dashboards,
    executors,
    growth,
    page_stream,
    signal_to_send,
    snapshot,
    telegram_hang,
)
from tests.bench.cluster import cluster, lacking
from tests.bench.figures import machine

SCHEMA_VERSION = 1


async def _gate(count: int) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as folder:
        return await bench_gate.run(Path(folder), count)


BENCHES: dict[str, Callable[[int], Awaitable[dict[str, object]]]] = {
    "gate": _gate,
    "signal_to_send": signal_to_send.measure,
    "book_to_send": book_to_send.measure,
    "dashboards": dashboards.measure,
    "snapshot": snapshot.measure,
    "page_stream": page_stream.measure,
    "telegram_hang": telegram_hang.measure,
    "executors": executors.measure,
    "growth": growth.measure,
}


async def _run(names: list[str], trades: int, on_cluster: bool | None) -> dict[str, object]:
    end_on_sigterm()
    before = machine()
    results = {name: await BENCHES[name](trades) for name in names}
    missing = lacking()
    if on_cluster is True or (on_cluster is None and missing is None):
        results["executors_on_cluster"] = await executors.measure_on(cluster, trades)
    elif on_cluster is None:
        results["executors_on_cluster"] = {"not_measured": missing}
    return {"schema_version": SCHEMA_VERSION, "machine": before, "results": results}


def main() -> None:
    """The command line."""
    arguments = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    arguments.add_argument("--only", choices=BENCHES, help="run this one alone")
    arguments.add_argument("--trades", type=int, default=192, help="trades per load and way")
    arguments.add_argument(
        "--cluster",
        action="store_true",
        help="with --only: the executors on Temporal's own server on PostgreSQL too",
    )
    given = arguments.parse_args()
    names = [given.only] if given.only else list(BENCHES)
    stay_responsive()
    on_cluster = given.cluster if given.only else None
    result = uvloop.run(_run(names, given.trades, on_cluster))
    sys.stdout.write(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
