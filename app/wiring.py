"""The composition root: where the concrete journal, venues and Temporal client are chosen."""

import asyncio
import os
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from temporalio.client import Client
from temporalio.worker import PollerBehaviorSimpleMaximum, UnsandboxedWorkflowRunner, Worker

from activities.complete import CompleteActivities
from activities.desk import Desk
from activities.messages import ArbitrageInput, Reserved, ReserveRequest, Ticket, WatchRequest
from activities.place import EntryActivities
from activities.reconcile import Reconciler
from activities.resolve import ResolveActivities
from activities.settle import HoldActivities
from activities.unwind import UnwindActivities
from app.config import Config, Timeouts
from app.errors import ConfigError
from app.links import database_trouble
from app.links import open_journal as open_journal
from app.links import wall_ms as wall_ms
from app.log_context import LogContext
from app.payloads import prepare
from app.sender import Sender
from app.temporal_client import connect as connect
from domain.standing import LegReport, Standing
from domain.venue import Venue
from store import installation
from store.kill_file import KillFile
from store.writing import Turn
from venues.kalshi.account import KalshiAccount
from venues.kalshi.account import Timeouts as KalshiTimeouts
from venues.kalshi.client import KalshiClient
from venues.polymarket.account import ApiKey, PolymarketAccount, SignatureType
from venues.polymarket.account import Timeouts as PolymarketTimeouts
from venues.polymarket.client import PolymarketClient
from venues.port import VenuePort
from workflows.arbitrage import ArbitrageWorkflow
from workflows.reconcile import ReconcileWorkflow

POLLERS = 20
CACHED_WORKFLOWS = 4_000
GRACE = timedelta(seconds=15)
_ON_THE_WAY = (ArbitrageInput, ReserveRequest, Reserved, Ticket, LegReport, Standing, WatchRequest)
"""What a trade is told as it goes."""


@dataclass(frozen=True, slots=True)
class Station:
    """An executor's desk, its lease on the accounts, and the file that stops it."""

    desk: Desk
    sender: Sender
    kill_file: KillFile


@asynccontextmanager
async def open_station(config: Config) -> AsyncIterator[Station]:
    """The journal, both venues and the right to send, as far as nobody else has it; all of it is
    closed with the block."""
    async with AsyncExitStack() as stack:
        wallet = polymarket_account(config)
        journal = await asyncio.to_thread(open_journal, config)
        stack.callback(journal.close)
        now_ms = wall_ms()
        with database_trouble():
            await journal.write(
                now_ms, lambda s: installation.belong(s, wallet.funder, now_ms), Turn.ORDER
            )
        venues: dict[Venue, VenuePort] = {
            Venue.POLYMARKET: PolymarketClient(wallet),
            Venue.KALSHI: KalshiClient(kalshi_account(config)),
        }
        for venue in venues.values():
            stack.push_async_callback(venue.close)
        # Process ids repeat from one container to the next, and several start in one millisecond.
        name = f"executor-{wall_ms()}-{secrets.token_hex(4)}-{os.getpid()}"
        kill_file = KillFile(config.data_dir)
        sender = Sender(journal, name, _accounts(config), wall_ms)
        await stack.enter_async_context(sender.kept())
        desk = Desk(journal, venues, wall_ms, lambda: sender.claim, kill_file.reason)
        yield Station(desk, sender, kill_file)


def _accounts(config: Config) -> dict[Venue, str]:
    """How the accounts of the configuration are named in leases."""
    return {
        Venue.POLYMARKET: f"{Venue.POLYMARKET}/{config.polymarket.funder}",
        Venue.KALSHI: f"{Venue.KALSHI}/{config.kalshi.key_id}",
    }


def polymarket_account(config: Config) -> PolymarketAccount:
    """The wallet and addresses of the configuration; ConfigError names what is missing."""
    section = config.polymarket
    if section.private_key is None or section.funder is None:
        raise ConfigError("polymarket.private_key, polymarket.funder: expected both, found none")
    api_key = None
    if section.api_key and section.secret and section.passphrase:
        api_key = ApiKey(
            section.api_key.get_secret_value(),
            section.secret.get_secret_value(),
            section.passphrase.get_secret_value(),
        )
    return PolymarketAccount(
        private_key=section.private_key.get_secret_value(),
        funder=section.funder,
        signature_type=SignatureType(section.signature_type),
        api_key=api_key,
        clob_url=section.clob_url,
        gamma_url=section.gamma_url,
        data_url=section.data_url,
        ws_url=section.ws_url,
        chain_id=section.chain_id,
        timeouts=PolymarketTimeouts(**_timeouts(section.timeouts)),
    )


def kalshi_account(config: Config) -> KalshiAccount:
    """The API key and addresses of the configuration; ConfigError names what is missing."""
    section = config.kalshi
    if section.key_id is None or section.private_key_pem is None:
        raise ConfigError("kalshi.key_id, kalshi.private_key_pem: expected both, found none")
    return KalshiAccount(
        base_url=section.base_url,
        ws_url=section.ws_url,
        key_id=section.key_id,
        private_key_pem=section.private_key_pem.get_secret_value(),
        fee_grid=section.balance_precision,
        timeouts=KalshiTimeouts(**_timeouts(section.timeouts)),
    )


def worker(
    client: Client,
    task_queue: str,
    desk: Desk,
    *,
    cached: int = CACHED_WORKFLOWS,
    sends: bool = True,
    reconciler: Reconciler | None = None,
) -> Worker:
    """The worker that runs arbitrages, without the SDK's sandbox (decision 0009). One that does
    not send leaves the activities that touch a venue to the process that does; only an executor
    reconciles."""
    entry, resolve = EntryActivities(desk), ResolveActivities(desk)
    unwind, hold = UnwindActivities(desk), HoldActivities(desk)
    complete = CompleteActivities(desk)
    prepare(*_ON_THE_WAY)
    return Worker(
        client,
        task_queue=task_queue,
        workflows=[ArbitrageWorkflow, ReconcileWorkflow],
        activities=[
            entry.reserve,
            entry.place_order,
            resolve.resolve_order,
            complete.price_exits,
            complete.complete,
            unwind.unwind,
            unwind.buy_opposite,
            hold.watch_settlement,
            hold.record,
            *([reconciler.reconcile_if_due] if reconciler else []),
        ],
        interceptors=[LogContext()],
        workflow_runner=UnsandboxedWorkflowRunner(),
        no_remote_activities=not sends,
        max_cached_workflows=cached,
        workflow_task_poller_behavior=PollerBehaviorSimpleMaximum(POLLERS if cached else 1),
        activity_task_poller_behavior=PollerBehaviorSimpleMaximum(POLLERS),
        sticky_queue_schedule_to_start_timeout=timedelta(milliseconds=500),
        max_heartbeat_throttle_interval=timedelta(milliseconds=250),
        default_heartbeat_throttle_interval=timedelta(milliseconds=250),
        graceful_shutdown_timeout=GRACE,
    )


def _timeouts(section: Timeouts) -> dict[str, timedelta]:
    return {
        "connect": timedelta(milliseconds=section.connect_ms),
        "read": timedelta(milliseconds=section.read_ms),
        "order": timedelta(milliseconds=section.order_ms),
    }
