"""Percentiles of measured times, and the machine they were measured on."""

import os
import platform
from collections.abc import Sequence
from pathlib import Path

import temporalio.service

from store.sqlite import journal_mode
from tests.support.driver import sqlite3

NS_PER_MS = 1_000_000


def percentiles(times_ns: Sequence[int]) -> dict[str, float]:
    """p50, p95 and p99 in milliseconds: the time that this share of the acts did not exceed."""
    ordered = sorted(times_ns)
    last = len(ordered) - 1
    return {
        f"p{share}": round(ordered[min(len(ordered) * share // 100, last)] / NS_PER_MS, 3)
        for share in (50, 95, 99)
    }


def machine() -> dict[str, object]:
    """What the figures depend on."""
    return {
        "cores": os.cpu_count(),
        "cpu": _cpu(),
        "system": f"{platform.system()} {platform.release()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "sqlite": sqlite3.sqlite_version,
        "journal_mode": journal_mode(),
        "temporal_sdk": temporalio.service.__version__,
        "load_1m": round(os.getloadavg()[0], 2),
    }


def _cpu() -> str:
    listing = Path("/proc/cpuinfo")
    if listing.exists():
        for line in listing.read_text().splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()
