"""`lockstep replay`: a capture of order books through the scanner, and what that comes to.

An interrupted replay goes on where it was: every few seconds all that it knows is kept beside the
output, under a name that the capture, the settings and this version together make.
"""

import asyncio
import hashlib
import math
import time
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from app.config import Config
from app.errors import UsageError
from app.intake import Advice
from app.links import journal_exists
from app.operating.captured_progress import Row, Work, keep, resumed
from app.operating.captured_summary import row, summary
from app.operating.office import opened
from app.operating.outputs_markets import ReplayedCapture
from domain.money import Usd
from domain.pair import Pair
from domain.policy import ExecutorSettings, Refusal
from markets.capture import Head, NotACapture, read
from markets.replay import Replay
from store import reviews
from store.reviews import Review

KEPT_SECONDS = 5.0
TURN_LINES = 200
CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Rules:
    """What a replay decides by, beside the capture: settings, cash at each venue, and what people
    said of pairs."""

    settings: ExecutorSettings
    cash: Usd
    reviews: dict[str, Review]


Told = Callable[[int, int, int], None]
"""Hears bytes done, bytes in all, and lines done."""


async def rules(config: Config, cash: Usd, changes: dict[str, Any]) -> Rules:
    """The settings that are in force in this journal (or would begin a new one), with `changes`."""
    settings, said = config.settings.first(), {}
    if await asyncio.to_thread(journal_exists, config):
        async with opened(config) as journal:
            settings = (await journal.settings.load()).settings
            said = dict(await journal.read(reviews.everything))
    changed = replace(settings, **changes)
    if problems := changed.problems():
        raise UsageError("; ".join(f"--set {one.field}: {one.message}" for one in problems))
    return Rules(changed, cash, said)


async def replay(
    config: Config, capture: Path, by: Rules, beside: Path, told: Told
) -> tuple[ReplayedCapture, list[Row]]:
    """Replay the whole capture; UsageError where it is none. Cancelled, it keeps what it knows
    next to `beside` and goes on there the next time."""
    digest, total = await asyncio.to_thread(_digest, capture)
    bounds = config.trade.bounds()
    key = hashlib.sha256(repr((digest, by, bounds, version("lockstep"))).encode()).hexdigest()
    kept = beside.with_name(f".{beside.name}.{key[:16]}.progress")
    work = resumed(kept, by.cash)
    machine = Replay(by.settings, bounds, lambda p, taken: _advice(by, p, taken), work.memory)
    saved = time.monotonic()
    try:
        known = (*work.memory.pairs.values(), *work.memory.books.values())
        machine.recall(read(raw, 0) for raw in known)
        with capture.open("rb") as lines:
            lines.seek(work.offset)
            for raw in lines:
                if not raw.endswith(b"\n") or work.offset + len(raw) > total:
                    work.cut = True
                    break
                await _feed(machine, raw, work)
                if work.lines % TURN_LINES == 0:
                    told(work.offset, total, work.lines)
                    await asyncio.sleep(0)
                if time.monotonic() - saved > KEPT_SECONDS:
                    saved = time.monotonic() if keep(kept, work) else math.inf
    except NotACapture as wrong:
        raise UsageError(f"{capture}: {wrong}") from None
    except asyncio.CancelledError:
        keep(kept, work)
        raise
    if work.lines == 0:
        raise UsageError(f"{capture}: expected a capture, found no whole line")
    told(total, total, work.lines)
    kept.unlink(missing_ok=True)
    return summary(capture, digest, by.settings, by.cash, work), work.rows


async def _feed(machine: Replay, raw: bytes, work: Work) -> None:
    line = read(raw, work.lines + 1)
    if (work.lines == 0) is not isinstance(line, Head):
        raise NotACapture(f"line {work.lines + 1}: expected the head first, and only there")
    await machine.feed(line, raw)
    work.lines, work.offset = work.lines + 1, work.offset + len(raw)
    work.rows += [row(one) for one in machine.sights]
    machine.sights.clear()


def _advice(by: Rules, pair: Pair, taken: AbstractSet[str]) -> Refusal | None:
    """What an executor's copy of the gate's questions would say of an entry."""
    held = dict.fromkeys(taken, Refusal.PAIR_ALREADY_OPEN)
    advice = Advice({pair.pair_id: pair}, None, held, by.reviews)
    return advice.refusal(pair.pair_id)


def _digest(capture: Path) -> tuple[str, int]:
    """The hash of the capture, and its bytes; UsageError where it cannot be read."""
    found, total = hashlib.sha256(), 0
    try:
        with capture.open("rb") as file:
            while chunk := file.read(CHUNK):
                found.update(chunk)
                total += len(chunk)
    except OSError as trouble:
        raise UsageError(f"{capture} cannot be read: {trouble.strerror}") from None
    return found.hexdigest(), total
