"""An order that is asked for twice: what the second attempt may say of the first."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlmodel import Session
from temporalio.testing import ActivityEnvironment

from activities.desk import Desk
from activities.messages import Ticket
from activities.send import send_once
from domain.order import Answer, Filled, NotFilled, Purpose, Rejection, Unknown
from domain.venue import Action, Venue
from store.place import SchemaAddress
from store.states import IntentState
from tests.store.builders import (
    NOW,
    a_fill,
    admitted,
    an_identity,
    an_opportunity,
    an_order,
    plan_unwind,
    ready,
)
from tests.support.disk import LIMITS, writing_nothing
from tests.support.places import place, plain
from tests.venues.raw import raw_server, saying
from venues.kalshi.account import KalshiAccount, Timeouts
from venues.kalshi.client import KalshiClient

NOBODY_LISTENS = "http://127.0.0.1:9"


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """A journal, and a Kalshi that no connection reaches."""
    async with desk_at(NOBODY_LISTENS, tmp_path) as opened:
        yield opened


@asynccontextmanager
async def desk_at(url: str, folder: Path) -> AsyncIterator[Desk]:
    """A journal, and Kalshi there."""
    kalshi, journal = kalshi_at(url), await ready(folder / "journal.db")
    yield Desk(journal, {Venue.KALSHI: kalshi}, lambda: NOW + 100, lambda: None, lambda: None)
    await kalshi.close()
    journal.close()


def kalshi_at(url: str) -> KalshiClient:
    """The client of an account there."""
    key = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    seconds = timedelta(seconds=2)
    return KalshiClient(
        KalshiAccount(
            key_id="key-1",
            private_key_pem=key.decode(),
            base_url=url,
            ws_url=url.replace("http", "ws"),
            timeouts=Timeouts(connect=seconds, read=seconds, order=seconds),
        )
    )


@pytest.mark.parametrize("earlier", ["nothing", "sent", "unknown", "filled", "refused"])
async def test_an_attempt_that_never_left_proves_nothing_of_an_earlier_one(
    desk: Desk, earlier: str
) -> None:
    order, identity = (await admitted(desk.journal)).orders[1]
    assert order.venue is Venue.KALSHI
    first: dict[str, Answer] = {
        "unknown": Unknown("timed out"),
        "filled": Filled("order-1", (a_fill(order),)),
        "refused": NotFilled(Rejection.KILLED, "no offer"),
    }
    if earlier != "nothing":
        await desk.journal.mark_sent(order.intent_id, NOW + 1)
    if earlier in first:
        await desk.journal.record_answer(order.intent_id, first[earlier], NOW + 50)

    answer = await ActivityEnvironment().run(send_once, desk, Ticket(order, identity))

    stored = await desk.journal.intent(order.intent_id)
    if earlier == "nothing":
        assert isinstance(answer, NotFilled)
        assert answer.rejection is Rejection.NOT_SENT
        assert stored.state is IntentState.NOT_FILLED
    elif earlier == "sent":
        assert isinstance(answer, Unknown)
        assert (stored.state, stored.answer) == (IntentState.SENT, None)
    else:
        assert answer == stored.answer == first[earlier]


@pytest.mark.parametrize("purpose", [Purpose.ENTRY, Purpose.COMPLETE, Purpose.UNWIND])
async def test_a_closed_door_keeps_entries_back_and_nothing_that_reduces_risk(
    tmp_path: Path, purpose: Purpose
) -> None:
    """The sibling has left just before; what it may make naked is no reason to follow it."""
    killed = b'{"error": {"code": "fill_or_kill_insufficient_resting_volume"}}'
    async with raw_server(saying(killed, 409)) as url, desk_at(url, tmp_path) as desk:
        request = await admitted(desk.journal)
        await desk.journal.mark_sent(request.orders[0][0].intent_id, NOW + 90)
        order, identity = request.orders[1]
        if purpose is not Purpose.ENTRY:
            order = replace(
                an_order(request.opportunity, Venue.KALSHI, purpose=purpose, sequence=3),
                action=Action.BUY if purpose is Purpose.COMPLETE else Action.SELL,
                reduce_only=False,
            )
            identity = an_identity(order)
            await plan_unwind(desk.journal, order, identity, NOW + 91)
        shut = NotFilled(Rejection.VENUE_CLOSED, "post-only")
        desk.doors.answered(Venue.POLYMARKET, shut, NOW + 90, NOW + 95)

        answer = await ActivityEnvironment().run(send_once, desk, Ticket(order, identity))

        assert isinstance(answer, NotFilled)
        kept_back = purpose is Purpose.ENTRY
        assert answer.rejection is (Rejection.FENCED if kept_back else Rejection.KILLED), answer
        stored = await desk.journal.intent(order.intent_id)
        assert stored.answer == answer
        assert (stored.sent_at_ms is None) is kept_back
        if kept_back:
            assert answer.detail == "polymarket takes no orders: post-only"


async def test_a_refusal_of_a_closed_venue_closes_its_door(tmp_path: Path) -> None:
    paused = b'{"error": {"code": "trading_is_paused"}}'
    async with raw_server(saying(paused, 409)) as url, desk_at(url, tmp_path) as desk:
        request = await admitted(desk.journal)

        await ActivityEnvironment().run(send_once, desk, Ticket(*request.orders[1]))

        assert set(desk.doors.closed(NOW + 100)) == {Venue.KALSHI}


async def test_an_order_that_cannot_reach_its_venue_keeps_the_next_entry_back(desk: Desk) -> None:
    first = await admitted(desk.journal, an_opportunity("a"))
    second = await admitted(desk.journal, an_opportunity("b"))
    await ActivityEnvironment().run(send_once, desk, Ticket(*first.orders[1]))
    assert set(desk.doors.closed(NOW + 100)) == {Venue.KALSHI}

    order, identity = second.orders[1]
    async with raw_server(saying(b"{}", 500)) as url:
        there = replace(desk, venues={Venue.KALSHI: kalshi_at(url)})
        answer = await ActivityEnvironment().run(send_once, there, Ticket(order, identity))
        await there.venues[Venue.KALSHI].close()

    assert isinstance(answer, NotFilled)
    assert answer.rejection is Rejection.FENCED


@LIMITS
async def test_an_answer_in_hand_outlives_a_journal_that_fails_its_first_write(
    tmp_path: Path,
) -> None:
    """A killed order may be listed nowhere: the venue's reply is the only proof there will be."""
    where = place(tmp_path / "journal.db")
    undo = ExitStack()
    backend = 0

    def lose() -> None:
        if isinstance(where, SchemaAddress):
            with plain(where) as connection:
                connection.execute("SELECT pg_terminate_backend(%s)", (backend,))
        else:
            undo.enter_context(writing_nothing(os.getpid()))
            asyncio.get_running_loop().call_later(0.5, undo.close)

    killed = b'{"error": {"code": "fill_or_kill_insufficient_resting_volume"}}'
    async with raw_server(saying(killed, 409, lose)) as url, desk_at(url, tmp_path) as desk:
        request = await admitted(desk.journal)
        if isinstance(where, SchemaAddress):
            backend = await desk.journal.write(NOW, backend_of)
        order, identity = request.orders[1]

        answer = await ActivityEnvironment().run(send_once, desk, Ticket(order, identity))

        assert isinstance(answer, NotFilled), answer
        assert answer.rejection is Rejection.KILLED
        stored = await desk.journal.intent(order.intent_id)
        assert (stored.state, stored.answer) == (IntentState.NOT_FILLED, answer)


def backend_of(session: Session) -> int:
    """The server's process behind the connection that writes."""
    found: int = session.connection().exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
    return found
