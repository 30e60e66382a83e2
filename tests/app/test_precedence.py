"""Who gives way to whom, by what the executors of a journal report."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from app.links import wall_ms
from app.precedence import CUT_OFF_SECONDS, STEADY_MS, Precedence
from app.sender import RENEW_SECONDS, Sender
from domain.venue import Venue
from store import presence
from store.journal import Journal
from tests.support.places import place

LATE_SECONDS = 5.0
TABLE = f"""
silent             here   holds  others                     to
0                  fit    yes    b:{STEADY_MS}:fit:no       -
{CUT_OFF_SECONDS}  fit    yes    b:{STEADY_MS}:fit:no       b
{CUT_OFF_SECONDS}  fit    yes    b:{STEADY_MS}:unfit:no     b
{CUT_OFF_SECONDS}  fit    no     b:{STEADY_MS}:fit:no       b
{CUT_OFF_SECONDS}  fit    no     b:{STEADY_MS}:fit:yes      -
{CUT_OFF_SECONDS}  fit    yes    b:{STEADY_MS - 1}:fit:no   -
{CUT_OFF_SECONDS}  fit    yes    b:0:fit:no,c:9999:fit:no   c
{CUT_OFF_SECONDS}  fit    yes    b:old:fit:no               -
{CUT_OFF_SECONDS}  fit    yes    -                          -
9.9                fit    yes    b:{STEADY_MS}:fit:no       -
0                  unfit  yes    b:{STEADY_MS}:fit:no       -
0                  unfit  no     b:{STEADY_MS}:fit:no       b
0                  unfit  no     b:{STEADY_MS}:unfit:no     -
0                  unfit  no     b:0:fit:no                 -
0                  unfit  no     b:{STEADY_MS}:fit:yes      -
0                  unfit  no     b:{STEADY_MS}:old:no       -
"""


@pytest.mark.parametrize("line", TABLE.strip().splitlines()[1:])
async def test_who_is_better_placed(line: str, tmp_path: Path) -> None:
    silent, here, holds, others, to = line.split()
    journal, now_ms = Journal.open(place(tmp_path / "journal.db"), wall_ms()), wall_ms()
    reach: Any = SimpleNamespace(silent_s=float(silent))
    ours = Precedence("a", reach, lambda: None if here == "fit" else "its disk is full")
    for other in others.split(",") if others != "-" else ():
        name, *told = other.split(":")
        await _says(journal, name, told, now_ms)
    await _says(journal, "dead", ["9999", "fit", "no"], now_ms - presence.ALIVE_MS - 1)
    await _says(journal, "a", ["9999", "fit", "no"], now_ms)
    why = await journal.read(lambda s: ours.of_another(s, holds == "yes", now_ms))
    assert why is None if to == "-" else why is not None and f" {to}" in f" {why}"
    journal.close()


async def _says(journal: Journal, name: str, told: list[str], at_ms: int) -> None:
    answered_ms, fit, sends = told
    report: dict[str, object] = {"sends": sends == "yes"}
    if answered_ms != "old":
        report["answered_ms"] = int(answered_ms)
    if fit != "old":
        report["unfit"] = None if fit == "fit" else "its clock"
    await journal.write(at_ms, lambda s: presence.report(s, name, report, at_ms))


async def test_who_is_unfit_leaves_a_free_lease_to_who_is_fit_for_as_long_as_he_reports(
    tmp_path: Path,
) -> None:
    journal = Journal.open(place(tmp_path / "journal.db"), wall_ms())
    reach: Any = SimpleNamespace(silent_s=0.0)
    sender = Sender(journal, "a", {Venue.KALSHI: "kalshi/key"}, wall_ms)
    sender.gives_way = Precedence("a", reach, lambda: "its disk is full").of_another
    await _says(journal, "b", ["9999", "fit", "no"], wall_ms())
    async with sender.kept():
        await asyncio.sleep(2 * RENEW_SECONDS)
        held = [sender.holds]
        await asyncio.wait_for(sender.turn(False), presence.ALIVE_MS / 1_000 + LATE_SECONDS)
        # Who holds it keeps it: an unfit sender does everything but enter.
        await _says(journal, "b", ["9999", "fit", "no"], wall_ms())
        await asyncio.sleep(2 * RENEW_SECONDS)
        held.append(sender.holds)
    assert held == [False, True]
    journal.close()
