"""`lockstep demo`: start everything, play, hold the books against each other, say how it went."""

import asyncio
import json
import random
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from app.children import say_ready
from app.config import Config
from app.demo.control import Control
from app.demo.ledgers import audit
from app.demo.play import Play, Played
from app.demo.refusals import PAIRS_NEEDED, Refusals
from app.demo.report import Summary, summarise
from app.demo.scenario import CRASH, HELD, LOCKED, ORDER_MS, TROUBLED, Staged, stage
from app.demo.screen import Screen
from app.run import RunOptions, running, stop_event
from app.wiring import connect, open_journal
from domain.venue import Mode
from store.arbitrages import admitted
from store.journal import Journal

PAIRS = 60
SETTINGS = {
    "enabled": True,
    "max_bet": "10",
    "max_daily_trades": 1_000,
    "max_daily_loss": "100",
}
ENVIRONMENT = {
    "LOCKSTEP_API__PORT": "0",
    "LOCKSTEP_POLYMARKET__TIMEOUTS__ORDER_MS": str(ORDER_MS),
    "LOCKSTEP_KALSHI__TIMEOUTS__ORDER_MS": str(ORDER_MS),
    "LOCKSTEP_KALSHI__BALANCE_PRECISION": "0.0001",
    "LOCKSTEP_TRADE__QUARANTINE_MS": "2000",
    "LOCKSTEP_TRADE__UNWIND_PAUSE_MS": "100",
    "LOCKSTEP_TRADE__UNWIND_PAUSE_MS_MAX": "1000",
    "LOCKSTEP_TRADE__PROVISIONAL_PAUSE_MS": "100",
    "LOCKSTEP_TRADE__SETTLE_PAUSE_MS": "300",
}


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """How long to play at least (seconds), from which seed, and what to print."""

    seconds: int = 60
    seed: int = 7
    as_json: bool = False
    stay: bool = False
    kalshi_frames: Path | None = None


async def run_demo(config: Config, options: DemoOptions) -> Summary:
    """The whole demo, in a folder of its own that is removed at the end."""
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="lockstep-demo-"))
        config = config.model_copy(update={"mode": Mode.SIM, "data_dir": Path(folder)})
        rng = random.Random(options.seed)  # noqa: S311  a seed is what makes it repeatable
        acts = (*LOCKED, HELD, *TROUBLED, CRASH)
        screen = stack.enter_context(Screen(len(acts), quiet=options.as_json))
        screen.say("starting Temporal, both exchanges, executor and API")
        running_options = RunOptions(
            seed=options.seed, makers=False, pairs=PAIRS, environment=ENVIRONMENT
        )
        system = await stack.enter_async_context(running(config, running_options))
        say_ready(system.ready_line(), sys.stderr)
        assert system.control_url is not None, "the demo trades on simulated exchanges"
        control = Control(system.control_url)
        stack.push_async_callback(control.close)
        journal = await asyncio.to_thread(open_journal, config)
        stack.callback(journal.close)
        client = await connect(
            config.model_copy(
                update={"temporal": config.temporal.model_copy(update={"address": system.temporal})}
            )
        )
        play = Play(system, control, journal, client, screen.tell)
        await play.change(**SETTINGS)
        pairs = tuple(str(pair["id"]) for pair in await control.pairs())
        staged = stage(acts, pairs, rng)
        summary = await _perform(
            play, staged, pairs[len(acts) :], control, journal, screen, options
        )
        screen.conclude(summary, system.urls.get("temporal_ui"))
        if options.stay:
            screen.say("still trading; Ctrl-C ends it")
            await stop_event().wait()
        return summary


async def _perform(
    play: Play,
    staged: tuple[Staged, ...],
    spare: tuple[str, ...],
    control: Control,
    journal: Journal,
    screen: Screen,
    options: DemoOptions,
) -> Summary:
    began = time.monotonic()
    screen.say("trading: both legs leave together, and everything goes wrong once")
    played = await play.perform_all(staged)
    screen.say("asking for what every limit must refuse")
    refusals = Refusals(play, control, journal)
    cooling = next(p.staged.pair for p in played if p.staged.act in TROUBLED)
    held = next(p.staged.pair for p in played if p.staged.act is HELD)
    await refusals.provoke(spare[:PAIRS_NEEDED], cooling, held)
    played += await _more(play, spare[PAIRS_NEEDED:], options, began)
    screen.say("holding the journal against both ledgers")
    return await _sum_up(options.seed, played, refusals, control, journal)


async def _more(
    play: Play, spare: tuple[str, ...], options: DemoOptions, began: float
) -> list[Played]:
    """Plain arbitrages until the time is up or the pairs are."""
    rng = random.Random(options.seed + 1)  # noqa: S311  as above
    played: list[Played] = []
    for pair in spare:
        if time.monotonic() - began > options.seconds:
            break
        (act,) = stage(LOCKED[:1], (pair,), rng)
        played += await play.perform_all((replace(act, pair=pair),))
    return played


async def _sum_up(
    seed: int, played: list[Played], refusals: Refusals, control: Control, journal: Journal
) -> Summary:
    ledgers = await control.state()
    states = [
        await journal.arbitrage(arb_id)
        for arb_id in await journal.read(lambda s: admitted(s, Mode.SIM))
    ]
    found = await journal.read(lambda s: audit(s, ledgers, dict[str, Fraction]()))
    problems = [one.problem for one in played if one.problem] + refusals.problems
    return summarise(seed, states, await refusals.counts(), ledgers, found, problems)


def print_summary(summary: Summary) -> None:
    """One JSON object on stdout."""
    sys.stdout.write(json.dumps(summary.as_json()) + "\n")
