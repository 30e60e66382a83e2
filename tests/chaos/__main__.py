"""`python -m tests.chaos`: one campaign; the report is one JSON object on stdout."""

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.chaos.campaign import Result, run_campaign, tell_stderr
from tests.chaos.cases import draw, merge_matrix


def main(argv: Sequence[str] | None = None) -> int:
    """0 without a violation, 1 with one, 2 on wrong usage."""
    parser = argparse.ArgumentParser(prog="lockstep chaos")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--runs", type=int, default=60)
    parser.add_argument("--points", default="all", help="all, merge, or places such as P7,P8")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--keep", type=Path, default=None, help="keep what the systems wrote")
    given = parser.parse_args(argv)
    return asyncio.run(play(given.seed, given.runs, given.points, given.json, given.keep))


async def play(seed: int, runs: int, points: str, as_json: bool, keep: Path | None = None) -> int:
    """Run the campaign and print what it found."""
    if points == "merge":
        cases = merge_matrix()
    else:
        named = frozenset() if points == "all" else frozenset(points.split(","))
        cases = draw(seed, runs, named)
    result = await run_campaign(seed, cases, tell_stderr, keep)
    if as_json:
        sys.stdout.write(json.dumps(result.as_json()) + "\n")
    else:
        sys.stdout.write(in_words(result))
    return 1 if result.violations else 0


def in_words(result: Result) -> str:
    """The report for a person."""
    report = result.as_json()
    lines = [f"seed {result.seed}: {result.cases} cases in {result.seconds:.0f} s"]
    lines += [f"violation: {violation}" for violation in result.violations]
    lines += [f"not reached: {place}" for place in result.missed]
    lines.append(f"never seen: {', '.join(report['never']) or 'nothing'}")  # type: ignore[arg-type]
    lines.append(f"duplicate orders: {result.duplicate_orders}")
    lines.append(f"ledger drift: ${report['ledger_drift_usd']}")
    lines.append(f"time to an even pair: {json.dumps(report['time_to_flat_ms'])} ms")
    lines.append("no violation" if not result.violations else "VIOLATED")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
