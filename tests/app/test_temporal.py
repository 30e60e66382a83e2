"""The embedded server: starts with our settings, keeps its file, ends when told."""

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from temporalio.client import Client

from app import keeper, temporal
from app.errors import DependencyError
from app.keeper import kept_server
from app.temporal import Server, ServerOptions, open_server, start_server
from app.temporal_binary import ensure_binary
from tests.support.processes import ROOT, free_port
from workflows.story import SEARCH_ATTRIBUTES

pytestmark = pytest.mark.temporal


def port_of(server: Server) -> int:
    return int(server.address.rsplit(":", 1)[1])


def killed(server: Server) -> None:
    """SIGKILL, and wait until nobody listens there; who watches over it hears its code."""
    assert server.process is not None
    server.process.kill()
    while listens(port_of(server)):
        time.sleep(0.01)


async def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


async def test_it_answers_with_our_namespace_and_search_attributes(tmp_path: Path) -> None:
    options = ServerOptions(namespace="trading", database=tmp_path / "t" / "temporal.db")
    async with open_server(options) as server:
        client = await Client.connect(server.address, namespace="trading")
        for key in SEARCH_ATTRIBUTES:
            count = await client.count_workflows(f"{key.name} IS NULL")
            assert count.count == 0
        assert server.ui_url is not None
        assert listens(int(server.ui_url.rsplit(":", 1)[1]))
    assert server.process is not None
    assert server.process.poll() is not None
    assert not listens(port_of(server))
    assert (tmp_path / "t" / "temporal.db").stat().st_size > 0


async def test_two_servers_stand_side_by_side(temporal_server: Server) -> None:
    async with open_server(ServerOptions(ui=False)) as other:
        assert other.address != temporal_server.address


async def test_a_port_in_use_is_named(temporal_server: Server) -> None:
    port = port_of(temporal_server)
    with pytest.raises(DependencyError, match=f"expected port {port} to be free, found it in use"):
        await start_server(ServerOptions(port=port, ui=False))


async def test_a_port_that_another_process_took_meanwhile_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        chosen = [other.getsockname()[1]]
        free = temporal._take_port
        monkeypatch.setattr(
            temporal, "_take_port", lambda *asked: chosen.pop() if chosen else free(*asked)
        )
        async with open_server(ServerOptions(ui=False)) as server:
            assert not chosen
            assert not server.address.endswith(f":{other.getsockname()[1]}")


async def test_a_server_that_ends_at_once_is_quoted(tmp_path: Path) -> None:
    (tmp_path / "file").mkdir()
    options = ServerOptions(database=tmp_path / "file", ui=False)
    with pytest.raises(DependencyError, match=r"ended at once, code 1; its last words: .+"):
        await start_server(options)


async def test_a_server_that_dies_is_brought_back_where_it_was(tmp_path: Path) -> None:
    """It keeps its address, its file and what it knew."""
    told: list[tuple[bool, bool]] = []

    async def tell(trouble: str | None, stays: bool) -> None:
        told.append((trouble is not None, stays))

    options = ServerOptions(database=tmp_path / "temporal.db")
    async with kept_server(options, None, tell) as server:
        client = await Client.connect(server.address)
        await client.start_workflow("waits", id="kept", task_queue="nobody")
        killed(server)
        await _until(lambda: len(told) == 2)
        assert (await client.get_workflow_handle("kept").describe()).status is not None
    assert told == [(True, False), (False, False)]
    assert not listens(port_of(server))


async def test_a_server_that_does_not_come_back_ends_the_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(keeper, "TRIES", 2)
    monkeypatch.setattr(keeper, "RESTART_SECONDS", (0.5,))
    told: list[tuple[bool, bool]] = []

    async def tell(trouble: str | None, stays: bool) -> None:
        told.append((trouble is not None, stays))

    async def lose_its_port(other: socket.socket) -> None:
        async with kept_server(ServerOptions(ui=False), None, tell) as server:
            killed(server)
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            other.bind(("127.0.0.1", port_of(server)))
            other.listen()
            await asyncio.sleep(30)

    vain = pytest.raises(DependencyError, match="started 2 times in vain")
    with socket.socket() as other, vain:
        await lose_its_port(other)
    assert told == [(True, False), (True, True), (True, True)]
    task = asyncio.current_task()
    assert task is not None
    assert not task.cancelling()


async def test_an_existing_server_is_used_and_left_running(temporal_server: Server) -> None:
    async with open_server(ServerOptions(), address=temporal_server.address) as server:
        assert server.process is None
    assert listens(port_of(temporal_server))


async def test_an_existing_server_without_our_search_attributes_gets_them(tmp_path: Path) -> None:
    port = free_port()
    address = f"127.0.0.1:{port}"
    command = [str(ensure_binary()), "server", "start-dev", "--headless", "--log-level", "error"]
    command += ["--port", str(port)]
    with (tmp_path / "log").open("wb") as log:
        theirs = subprocess.Popen(command, stdout=log, stderr=log)  # noqa: ASYNC220
    try:
        async with open_server(ServerOptions(), address=address, seconds=30):
            client = await Client.connect(address)
            for key in SEARCH_ATTRIBUTES:
                assert (await client.count_workflows(f"{key.name} IS NULL")).count == 0
        async with open_server(ServerOptions(), address=address) as again:
            assert again.process is None
    finally:
        theirs.terminate()
        theirs.wait()


def test_ensure_prints_the_address_of_the_server_it_was_given(temporal_server: Server) -> None:
    env = os.environ | {"TEMPORAL_ADDRESS": temporal_server.address}
    command = [sys.executable, "-m", "app.temporal", "ensure"]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, temporal_server.address + "\n")


async def test_an_address_where_nobody_answers_ends_in_one_line() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{unused.getsockname()[1]}"
        missing = open_server(ServerOptions(), address=address, seconds=1)
        with pytest.raises(DependencyError) as caught:
            await missing.__aenter__()
    assert f"at {address}" in str(caught.value)
    assert "\n" not in str(caught.value)
