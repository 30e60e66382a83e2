"""Temporal's database is deleted under running trades: the journal gives them new workflows."""

from pathlib import Path

from activities.adopt import Adopter
from app.temporal import ServerOptions, start_server, stop_server
from app.workflow_list import WorkflowList
from domain.policy import Bounds
from domain.venue import Mode
from tests.support.books import assert_books_balance
from tests.support.processes import Child, free_port
from tests.support.temporal import connect
from tests.support.trading import QUICK, trading
from workflows import names
from workflows.handle import handle_of
from workflows.snapshot import CloseRequest, Snapshot


async def test_every_running_trade_is_adopted_from_the_journal(
    exchanges: Child, task_queue: str, tmp_path: Path
) -> None:
    database = tmp_path / "temporal.sqlite3"
    port = free_port()
    server = await start_server(ServerOptions(ui=False, database=database, port=port))
    client = await connect(server)
    prefix, held = "lost-", []
    async with trading(exchanges.ready, client, task_queue, prefix, tmp_path) as desk:
        for pair in ("p58", "p59"):
            handle = await desk.hold(pair)
            held.append(handle.id)
    await stop_server(server)
    _delete(tmp_path)

    server = await start_server(ServerOptions(ui=False, database=database, port=port))
    try:
        client = await connect(server)
        async with trading(exchanges.ready, client, task_queue, prefix, tmp_path) as desk:
            workflows = WorkflowList(client, task_queue, Bounds(cooldown_ms=0), QUICK)
            adopter = Adopter(desk.desk, workflows, Mode.SIM)
            assert set(await adopter.adopt_orphans()) == set(held)
            for arb_id in held:
                handle = handle_of(client, names.workflow_id(arb_id, 1))
                snapshot = await desk.until_at_rest(handle)
                assert snapshot.phase == "HOLDING", snapshot.story
                closed: Snapshot = await handle.execute_update(
                    names.CLOSE_POSITION, CloseRequest("ann"), result_type=Snapshot
                )
                assert closed.phase == "FLAT", closed.story
            await assert_books_balance(desk)
    finally:
        await stop_server(server)


def _delete(folder: Path) -> None:
    for part in folder.glob("temporal.sqlite3*"):
        part.unlink()
