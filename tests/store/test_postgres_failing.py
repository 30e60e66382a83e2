"""A PostgreSQL server that fails: its disk, or all of it at once."""

import signal
from collections.abc import Iterator

import pytest
from sqlalchemy import text
from sqlmodel import Session

from store.errors import (
    JournalBusy,
    JournalFailing,
)
from store.place import SchemaAddress
from tests.store.builders import NOW, a_request, admitted, ready_at
from tests.support.postgres import Postgres, throwaway

pytestmark = pytest.mark.postgres


@pytest.fixture
def where(postgres_url: str, request: pytest.FixtureRequest) -> SchemaAddress:
    """A schema that only this test has."""
    return SchemaAddress(postgres_url, f"own_{abs(hash(request.node.nodeid))}")


@pytest.mark.parametrize("state", ["53100", "58030"])
async def test_a_disk_of_the_server_that_fails_is_told_and_keeps_nothing(
    where: SchemaAddress, state: str
) -> None:
    journal = await ready_at(where)
    before = await journal.settings.load()

    def fail(session: Session) -> None:
        session.connection().execute(text("UPDATE run_state SET epoch = 77"))
        raised = f"DO $$ BEGIN RAISE EXCEPTION 'no space' USING ERRCODE = '{state}'; END $$"
        session.connection().execute(text(raised))

    with pytest.raises(JournalFailing, match="was not written: no space"):
        await journal.write(NOW, fail)
    assert (await journal.run_state()).epoch != 77
    assert await journal.settings.load() == before
    journal.close()


@pytest.fixture
def own_server() -> Iterator[Postgres]:
    """A server that this test may break."""
    with throwaway() as server:
        yield server


async def test_a_server_that_dies_loses_nothing_and_is_gone_on_with(own_server: Postgres) -> None:
    journal = await ready_at(SchemaAddress(own_server.url, "lockstep_sim"))
    request = await admitted(journal)
    own_server.stop(signal.SIGKILL)
    for asked in (journal.run_state(), journal.reserve(a_request())):
        with pytest.raises(JournalBusy, match="does not answer"):
            await asked
    own_server.start()
    assert (await journal.arbitrage(request.arb_id)).opportunity == request.opportunity
    await journal.mark_sent(request.orders[0][0].intent_id, NOW + 1)
    journal.close()
