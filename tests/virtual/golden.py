"""Digests of the traces of a fixed list of seeds, kept beside this file."""

import json
from pathlib import Path

from tests.virtual.campaign import run_seed

SEEDS = (*range(1, 33), 100, 159, 361, 421, 500, 1_000, 2_000, 2_197, 4_000, 8_000, 16_000)
_FILE = Path(__file__).with_suffix(".json")


def today() -> dict[str, str]:
    """The digests as the code makes them now."""
    return {str(seed): run_seed(seed).digest for seed in SEEDS}


def golden() -> dict[str, str]:
    """The digests that are stored."""
    stored: dict[str, str] = json.loads(_FILE.read_text(encoding="utf-8"))
    return stored


def write_golden() -> None:
    """Store today's."""
    _FILE.write_text(json.dumps(today(), indent=1) + "\n", encoding="utf-8")
