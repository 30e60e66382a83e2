"""`lockstep run`: everything on one machine, supervised; or one of its processes alone."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import httpx

from app.children import Child, ChildSpec, ReadyLine, say_ready
from app.config import Config
from app.errors import DependencyError
from app.keeper import EMBEDDED, kept_server, tell_of_server
from app.sim_world import TEMPORAL_FILE, put_aside
from app.temporal import ServerOptions
from app.whereabouts import told
from domain.venue import Mode

PERSON = 1
"""Whose chat the simulated Telegram knows, and who may act there."""
TELEGRAM = ChildSpec("telegram", ["-m", "sim.telegram.main", "--chat", str(PERSON)], restart=False)


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How to run: the simulated venues' seed, how many pairs they list, who quotes there (a
    recording of Kalshi, the makers, or nobody), whether a simulated Telegram is told, and settings
    for every process."""

    seed: int = 7
    kalshi_frames: Path | None = None
    makers: bool = True
    pairs: int = 24
    telegram: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Stack:
    """Everything that runs: where it answers, and its children by name."""

    urls: dict[str, str]
    children: dict[str, Child]
    temporal: str
    temporal_pid: int | None
    control_url: str | None

    def ready_line(self) -> ReadyLine:
        """What is told on stderr as soon as everything answers."""
        pids = {name: child.pid for name, child in self.children.items()}
        return {"ready": True, "urls": self.urls, "pids": {**pids, "temporal": self.temporal_pid}}


@asynccontextmanager
async def running(config: Config, options: RunOptions) -> AsyncIterator[Stack]:
    """Start what the mode needs, in order; end it in the opposite one.

    The executor stops first: no new entry leaves while the rest still answers.
    """
    config.data_dir.mkdir(parents=True, exist_ok=True)
    children: dict[str, Child] = {}
    urls: dict[str, str] = {}
    environment = dict(options.environment)
    server_options = ServerOptions(
        namespace=config.temporal.namespace,
        port=config.temporal.port or None,
        ui_port=config.temporal.ui_port or None,
        database=config.data_dir / TEMPORAL_FILE,
        log=config.data_dir / "logs" / "temporal.log",
    )
    control_url = None
    try:
        if config.mode is Mode.SIM:
            await put_aside(config)
            sim = await _start(children, config, _sim_spec(options))
            environment |= await sim_environment(sim)
            control_url = _text(sim["urls"], "control")
            urls |= {name: _text(sim["urls"], name) for name in ("polymarket", "kalshi")}
            if options.telegram:
                telegram = await _start(children, config, TELEGRAM)
                environment |= telegram_environment(telegram)
                urls["telegram"] = _text(telegram, "url")
        else:
            urls |= {
                "polymarket": config.polymarket.clob_url,
                "kalshi": config.kalshi.base_url,
            }
        tell = partial(tell_of_server, config)
        async with kept_server(server_options, config.temporal.address, tell) as server:
            environment |= {
                "LOCKSTEP_MODE": config.mode.value,
                "LOCKSTEP_DATA_DIR": str(config.data_dir),
                "LOCKSTEP_TEMPORAL__ADDRESS": server.address,
                EMBEDDED: "" if server.process is None else "1",
            }
            if server.ui_url:
                urls["temporal_ui"] = server.ui_url
                environment["LOCKSTEP_TEMPORAL__UI_URL"] = server.ui_url
            for name in ("executor", "api"):
                arguments = ["-m", "app.process", name]
                await _start(children, config, ChildSpec(name, arguments, environment))
            urls["api"] = _text(children["api"].ready, "url")
            urls["dashboard"] = urls["api"] + "/executor"
            if config.telegram.token is not None or options.telegram:
                notifier = ["-m", "app.process", "notifier"]
                await _start(children, config, ChildSpec("notifier", notifier, environment))
            try:
                with told(config.data_dir, server.address, urls):
                    yield Stack(urls, children, server.address, server.pid, control_url)
            finally:
                await _stop(children, "executor", "api", "notifier")
    finally:
        await _stop(children, *reversed(children))


async def run_all(config: Config, options: RunOptions) -> None:
    """Run until SIGINT or SIGTERM."""
    end_on_sigterm()
    async with running(config, options) as stack:
        stop = stop_event()
        say_ready(stack.ready_line(), sys.stderr)
        if config.telegram.token is None:
            sys.stderr.write("telegram: not set up, so nothing is sent (docs/telegram.md)\n")
        await stop.wait()


def stop_event() -> asyncio.Event:
    """An event that SIGINT and SIGTERM set."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    return stop


def end_on_sigterm() -> None:
    """SIGTERM ends the running task as Ctrl-C does: everything it opened is closed in order."""
    task = asyncio.current_task()
    assert task is not None, "called from a task"
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)


async def sim_environment(sim: ReadyLine) -> dict[str, str]:
    """The settings that point every process at the simulated venues, with their test keys and
    all of their markets as reviewed pairs."""
    urls, keys = sim["urls"], sim["keys"]
    polymarket, kalshi = _table(keys, "polymarket"), _table(keys, "kalshi")
    values = {
        "POLYMARKET__CLOB_URL": _text(urls, "polymarket"),
        "POLYMARKET__GAMMA_URL": _text(urls, "gamma"),
        "POLYMARKET__DATA_URL": _text(urls, "data"),
        "POLYMARKET__WS_URL": _text(urls, "polymarket_ws"),
        "POLYMARKET__PRIVATE_KEY": polymarket["private_key"],
        "POLYMARKET__API_KEY": polymarket["api_key"],
        "POLYMARKET__SECRET": polymarket["secret"],
        "POLYMARKET__PASSPHRASE": polymarket["passphrase"],
        "POLYMARKET__FUNDER": polymarket["funder"],
        "POLYMARKET__SIGNATURE_TYPE": polymarket["signature_type"],
        "KALSHI__BASE_URL": _text(urls, "kalshi"),
        "KALSHI__WS_URL": _text(urls, "kalshi_ws"),
        "KALSHI__KEY_ID": kalshi["key_id"],
        "KALSHI__PRIVATE_KEY_PEM": kalshi["private_key_pem"],
        "PAIRS": json.dumps(await _sim_pairs(_text(urls, "control"))),
    }
    return {f"LOCKSTEP_{name}": str(value) for name, value in values.items()}


def telegram_environment(telegram: ReadyLine) -> dict[str, str]:
    """The settings that point the notifier at the simulated Telegram, whatever else is set."""
    values = {
        "TOKEN": _text(telegram, "token"),
        "TOKEN_FILE": "",
        "BASE_URL": _text(telegram, "url"),
        "CHATS": f"[{PERSON}]",
        "USERS": json.dumps([{"id": PERSON, "role": "trader"}]),
    }
    return {f"LOCKSTEP_TELEGRAM__{name}": value for name, value in values.items()}


async def _sim_pairs(control_url: str) -> list[dict[str, object]]:
    async with httpx.AsyncClient(trust_env=False) as client:
        markets = (await client.get(f"{control_url}/markets")).raise_for_status().json()
    return [
        {
            "id": pair["id"],
            "title": pair["title"],
            "confidence": "reviewed",
            "polymarket": {
                name: pair["polymarket"][name] for name in ("condition_id", "token_yes", "token_no")
            },
            "kalshi": {"ticker": pair["kalshi"]["ticker"]},
        }
        for pair in markets["pairs"]
    ]


def _sim_spec(options: RunOptions) -> ChildSpec:
    arguments = ["-m", "sim.main", "--seed", str(options.seed)]
    arguments += ["--polymarket-port", "0", "--kalshi-port", "0", "--pairs", str(options.pairs)]
    if options.kalshi_frames is not None:
        arguments += ["--kalshi-frames", str(options.kalshi_frames)]
    elif options.makers:
        arguments += ["--makers"]
    # The exchanges keep their ledgers in memory: a second life of theirs would be another world.
    return ChildSpec("sim", arguments, restart=False)


async def _start(children: dict[str, Child], config: Config, spec: ChildSpec) -> ReadyLine:
    child = children[spec.name] = Child(spec, config.data_dir / "logs")
    return await child.start()


async def _stop(children: Mapping[str, Child], *names: str) -> None:
    for name in names:
        if name in children:
            await children[name].stop()


def _table(value: object, name: str) -> dict[str, object]:
    part = value.get(name) if isinstance(value, dict) else None
    if not isinstance(part, dict):
        raise DependencyError(f"sim: expected {name} in its ready line, found {part!r}")
    return part


def _text(value: object, name: str) -> str:
    part = value.get(name) if isinstance(value, dict) else None
    if not isinstance(part, str):
        raise DependencyError(f"expected text for {name} in a ready line, found {part!r}")
    return part
