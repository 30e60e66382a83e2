"""`lockstep demo`: start everything, play, hold the books against each other, say how it went."""

import asyncio
import json
import random
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx

from app.children import say_ready
from app.config import Config
from app.demo.control import Control
from app.demo.freeplay import FreePlay
from app.demo.ledgers import audit
from app.demo.play import Play
from app.demo.refusals import BETS, PAIRS_NEEDED, Refusals
from app.demo.report import Summary, summarise
from app.demo.scenario import CRASH, HELD, LOCKED, ORDER_MS, TROUBLED, stage
from app.demo.screen import Screen
from app.run import RunOptions, end_on_sigterm, running, stop_event
from app.wiring import connect, open_journal
from domain.venue import Mode
from store.arbitrages import admitted
from store.journal import Journal

PAIRS = 72
FREE_PAIRS = 12
"""Kept aside for trading on after the script."""
ACTS = (*LOCKED, HELD, *TROUBLED, CRASH)
SETTINGS = {
    "enabled": True,
    **BETS,
    "max_daily_trades": 1_000,
    "max_daily_loss": "100",
}
ENVIRONMENT = {
    "LOCKSTEP_API__PORT": "0",
    "LOCKSTEP_POLYMARKET__TIMEOUTS__ORDER_MS": str(ORDER_MS),
    "LOCKSTEP_KALSHI__TIMEOUTS__ORDER_MS": str(ORDER_MS),
    "LOCKSTEP_KALSHI__BALANCE_PRECISION": "0.0001",
    "LOCKSTEP_TRADE__DEADLINE_MS": "8000",
    "LOCKSTEP_TRADE__QUARANTINE_MS": "2000",
    "LOCKSTEP_TRADE__UNWIND_PAUSE_MS": "100",
    "LOCKSTEP_TRADE__UNWIND_PAUSE_MS_MAX": "1000",
    "LOCKSTEP_TRADE__PROVISIONAL_PAUSE_MS": "100",
    "LOCKSTEP_TRADE__SETTLE_PAUSE_MS": "300",
}
RECORDED = {"LOCKSTEP_TRADE__COOLDOWN_MS": "2000"}


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """How long to play at least (seconds), from which seed, and what to print."""

    seconds: int = 60
    seed: int = 7
    as_json: bool = False
    stay: bool = False
    kalshi_frames: Path | None = None


@dataclass(frozen=True, slots=True)
class Stage:
    """All that a performance needs."""

    play: Play
    control: Control
    journal: Journal
    screen: Screen
    options: DemoOptions
    folder: Path


async def run_demo(config: Config, options: DemoOptions) -> Summary:
    """The whole demo, in a folder of its own that is removed at the end."""
    end_on_sigterm()
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="lockstep-demo-"))
        config = config.model_copy(update={"mode": Mode.SIM, "data_dir": Path(folder)})
        screen = stack.enter_context(Screen(len(ACTS), quiet=options.as_json))
        screen.say("starting Temporal, both exchanges, a Telegram, executor and API")
        system = await stack.enter_async_context(running(config, _run_options(options)))
        say_ready(system.ready_line(), sys.stderr)
        screen.say(f"dashboard {system.urls['dashboard']} · Telegram {system.urls['telegram']}")
        assert system.control_url is not None, "the demo trades on simulated exchanges"
        control = await stack.enter_async_context(Control(system.control_url))
        journal = await asyncio.to_thread(open_journal, config)
        stack.callback(journal.close)
        temporal = config.temporal.model_copy(update={"address": system.temporal})
        client = await connect(config.model_copy(update={"temporal": temporal}))
        play = Play(system, control, journal, client, screen.tell)
        await play.change(**SETTINGS)
        here = Stage(play, control, journal, screen, options, config.data_dir)
        perform = _play_recording if options.kalshi_frames else _play_script
        summary = await perform(here)
        if not await _messages(system.urls["telegram"]):
            summary.violations.append("expected messages at the simulated Telegram, found none")
        screen.conclude(summary, system.urls)
        if options.stay:
            await _stay(here)
        return summary


async def _messages(telegram_url: str) -> int:
    """How many messages the simulated Telegram shows."""
    async with httpx.AsyncClient(trust_env=False) as client:
        state = (await client.get(f"{telegram_url}/control/state")).raise_for_status().json()
    return len(state["messages"])


def _run_options(options: DemoOptions) -> RunOptions:
    environment = ENVIRONMENT | (RECORDED if options.kalshi_frames else {})
    return RunOptions(
        seed=options.seed,
        kalshi_frames=options.kalshi_frames,
        makers=False,
        pairs=PAIRS,
        telegram=True,
        environment=environment,
    )


async def _play_script(here: Stage) -> Summary:
    """Every act, then every refusal, then plain arbitrages until the time is up."""
    began = time.monotonic()
    pairs = tuple(str(pair["id"]) for pair in await here.control.pairs())
    rng = random.Random(here.options.seed)  # noqa: S311  a seed is what makes it repeatable
    here.screen.say("trading: both legs leave together, and everything goes wrong once")
    played = await here.play.perform_all(stage(ACTS, pairs, rng))
    here.screen.say("asking for what every limit must refuse")
    refusals = Refusals(here.play, here.control, here.journal)
    cooling = next(p.staged.pair for p in played if p.staged.act in TROUBLED)
    held = next(p.staged.pair for p in played if p.staged.act is HELD)
    spare = pairs[len(ACTS) :]
    await refusals.provoke(spare[:PAIRS_NEEDED], cooling, held)
    for pair in spare[PAIRS_NEEDED:-FREE_PAIRS]:
        if time.monotonic() - began > here.options.seconds:
            break
        played += await here.play.perform_all(stage(LOCKED[:1], (pair,), rng))
    problems = [one.problem for one in played if one.problem] + refusals.problems
    return await _sum_up(here, refusals, problems)


async def _play_recording(here: Stage) -> Summary:
    """The recorded books of Kalshi, Polymarket quoted against them, and seeded trouble."""
    here.screen.say(f"trading a recording for {here.options.seconds} s, with seeded trouble")
    free = FreePlay(here.play, here.control, here.journal, here.options.seed)
    await free.disturb()
    problems = []
    try:
        await free.let_trade(here.options.seconds)
    except TimeoutError as late:
        problems.append(str(late))
    refusals = Refusals(here.play, here.control, here.journal)
    summary = await _sum_up(here, refusals, problems)
    if not summary.trades:
        summary.violations.append("expected arbitrages in the recording, found none")
    return summary


async def _stay(here: Stage) -> None:
    """Go on trading until interrupted."""
    here.screen.say(f"in another terminal: LOCKSTEP_DATA_DIR={here.folder} lockstep top")
    here.screen.say("still trading; Ctrl-C ends it")
    stop = stop_event()
    free = FreePlay(here.play, here.control, here.journal, here.options.seed)
    pairs = tuple(str(pair["id"]) for pair in await here.control.pairs())
    await here.play.change(enabled=True)
    trading = asyncio.create_task(free.quote_for_ever(pairs[-FREE_PAIRS:]))
    waiting = asyncio.create_task(stop.wait())
    done, _ = await asyncio.wait({trading, waiting}, return_when=asyncio.FIRST_COMPLETED)
    trading.cancel()
    for task in done:
        task.result()


async def _sum_up(here: Stage, refusals: Refusals, problems: list[str]) -> Summary:
    here.screen.say("holding the journal against both ledgers")
    ledgers = await here.control.state()
    ids = await here.journal.read(lambda s: admitted(s, Mode.SIM))
    states = [await here.journal.arbitrage(arb_id) for arb_id in ids]
    found = await here.journal.read(lambda s: audit(s, ledgers))
    counts = await refusals.counts()
    return summarise(here.options.seed, states, counts, ledgers, found, problems)


def print_summary(summary: Summary) -> None:
    """One JSON object on stdout."""
    sys.stdout.write(json.dumps(summary.as_json()) + "\n")
