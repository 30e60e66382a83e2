"""An order that is asked for twice: what the second attempt may say of the first."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from temporalio.testing import ActivityEnvironment

from activities.desk import Desk
from activities.messages import Ticket
from activities.send import send_once
from domain.order import Answer, Filled, NotFilled, Rejection, Unknown
from domain.venue import Venue
from store.states import IntentState
from tests.store.builders import NOW, a_fill, admitted, ready
from venues.kalshi.account import KalshiAccount, Timeouts
from venues.kalshi.client import KalshiClient

NOBODY_LISTENS = "http://127.0.0.1:9"


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """A journal, and a Kalshi that no connection reaches."""
    key = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    seconds = timedelta(seconds=2)
    kalshi = KalshiClient(
        KalshiAccount(
            key_id="key-1",
            private_key_pem=key.decode(),
            base_url=NOBODY_LISTENS,
            ws_url=NOBODY_LISTENS.replace("http", "ws"),
            timeouts=Timeouts(connect=seconds, read=seconds, order=seconds),
        )
    )
    journal = await ready(tmp_path / "journal.db")
    yield Desk(journal, {Venue.KALSHI: kalshi}, lambda: NOW + 100, lambda: None, lambda: None)
    await kalshi.close()
    journal.close()


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
