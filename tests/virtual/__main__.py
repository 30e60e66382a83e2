"""`python -m tests.virtual`: arbitrages in virtual time; `lockstep chaos --virtual` runs it."""

import argparse
import json
import sys
from collections.abc import Sequence

from tests.virtual.campaign import campaign, run_seed
from tests.virtual.golden import write_golden


def main(argv: Sequence[str] | None = None) -> int:
    """0 without a violation, 1 with one."""
    parser = argparse.ArgumentParser(prog="lockstep chaos --virtual")
    parser.add_argument("--seed", type=int, default=7, help="the first seed")
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--trace", action="store_true", help="print every step of the first run")
    parser.add_argument("--write-golden", action="store_true", help="store today's traces")
    given = parser.parse_args(argv)
    if given.write_golden:
        write_golden()
        return 0
    return play(given.seed, given.runs, given.json, given.trace)


def play(seed: int, runs: int, as_json: bool, trace: bool = False) -> int:
    """Run seeds `seed` to `seed + runs - 1` and print what they found."""
    if trace:
        sys.stdout.write("\n".join(run_seed(seed).trace) + "\n")
    found = campaign(seed, range(seed, seed + runs), lambda line: print(line, file=sys.stderr))  # noqa: T201
    report = found.as_json()
    if as_json:
        sys.stdout.write(json.dumps(report) + "\n")
    else:
        sys.stdout.write(f"{runs} arbitrages in virtual time, {report['sagas_per_s']} per second\n")
        sys.stdout.write(f"crashes survived: {found.crashes}\n")
        sys.stdout.write(f"endings: {json.dumps(report['endings'])}\n")
        sys.stdout.write(f"never seen: {', '.join(found.never()) or 'nothing'}\n")
        sys.stdout.write(f"violations: {len(found.violations)}\n")
    return 1 if found.violations else 0


if __name__ == "__main__":
    sys.exit(main())
