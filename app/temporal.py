"""The Temporal server: the one named by TEMPORAL_ADDRESS, or an embedded one started here.

`python -m app.temporal ensure` finds or fetches the binary and prints where it is.
"""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import (
    AddSearchAttributesRequest,
    ListSearchAttributesRequest,
)
from temporalio.client import Client
from temporalio.common import SearchAttributeIndexedValueType
from temporalio.service import RPCError

from app.errors import DependencyError, LockstepError, UsageError
from app.leave import leave
from app.temporal_binary import cache_dir, ensure_binary, say_on_stderr
from workflows.story import SEARCH_ATTRIBUTES

LOOPBACK = "127.0.0.1"
START_SECONDS = 60
ANSWER_SECONDS = 4
"""A stranger who took the port may listen and never answer."""
START_TRIES = 3
TAKEN = "address already in use"
REACH_SECONDS = 10
STOP_SECONDS = 15
POLL_SECONDS = 0.05
DYNAMIC_CONFIG = {
    "system.enableActivityEagerExecution": "true",
    # On by default: named so that whoever compares finds them.
    "system.enableEagerWorkflowStart": "true",
    "frontend.enableUpdateWorkflowExecution": "true",
    "matching.numTaskqueueReadPartitions": "1",
    "matching.numTaskqueueWritePartitions": "1",
    "frontend.namespaceRPS": "20000",
    # No timer fires earlier than this after it was set; the default, a second, would be the
    # shortest pause before a sale or a question is tried again.
    "history.timerProcessorMaxTimeShift": '"10ms"',
}
SEARCH_TYPES = {
    SearchAttributeIndexedValueType.KEYWORD: "Keyword",
    SearchAttributeIndexedValueType.DOUBLE: "Double",
    SearchAttributeIndexedValueType.INT: "Int",
    SearchAttributeIndexedValueType.BOOL: "Bool",
}
SQLITE_PRAGMAS = {"journal_mode": "WAL", "synchronous": "NORMAL"}


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """How to start the embedded server. Ports of None are chosen free; no file means in memory;
    `dynamic` are settings of the server beyond ours."""

    namespace: str = "default"
    port: int | None = None
    ui: bool = True
    ui_port: int | None = None
    database: Path | None = None
    log: Path | None = None
    log_level: str = "error"
    dynamic: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Server:
    """A Temporal server that answers. `process` is None where somebody else runs it."""

    address: str
    namespace: str
    ui_url: str | None
    process: subprocess.Popen[bytes] | None

    @property
    def pid(self) -> int | None:
        """The process id of the embedded server."""
        return self.process.pid if self.process else None


@asynccontextmanager
async def open_server(
    options: ServerOptions, address: str | None = None, seconds: int = REACH_SECONDS
) -> AsyncIterator[Server]:
    """The server at `address` (host:port), or else an embedded one that ends with the block.

    A server of others is waited for at most `seconds`.

    Raises DependencyError (exit code 4) when it cannot be reached or started.
    """
    if address:
        await await_frontend(address, options.namespace, None, seconds)
        await register_search_attributes(address, options.namespace)
        yield Server(address, options.namespace, ui_url=None, process=None)
        return
    server = await start_server(options)
    try:
        yield server
    finally:
        await stop_server(server)


async def start_server(options: ServerOptions) -> Server:
    """Start an embedded server and wait until its frontend and namespace answer.

    Raises DependencyError when a port is in use, or the server ends or stays silent. Between the
    choice of a free port and its use another process may take it: then others are chosen.
    """
    binary = await asyncio.to_thread(ensure_binary)
    for _ in range(START_TRIES - 1):
        try:
            return await _start(binary, options)
        except DependencyError as error:
            if TAKEN not in str(error):
                raise
    return await _start(binary, options)


async def _start(binary: Path, options: ServerOptions) -> Server:
    port = _take_port(options.port, "Temporal")
    ui_port = _take_port(options.ui_port, "Temporal UI") if options.ui else None
    command = [str(binary), *_flags(options, port, ui_port)]
    with _open_log(options.log) as log:
        process = _spawn(command, log)
        server = Server(
            address=f"{LOOPBACK}:{port}",
            namespace=options.namespace,
            ui_url=f"http://{LOOPBACK}:{ui_port}" if ui_port else None,
            process=process,
        )
        try:
            await await_frontend(server.address, options.namespace, process, START_SECONDS)
        except BaseException as error:
            await stop_server(server)
            if isinstance(error, DependencyError):
                raise DependencyError(f"{error}; its last words: {_last_words(log)}") from None
            raise
    return server


def _spawn(command: list[str], log: IO[bytes]) -> subprocess.Popen[bytes]:
    """Start the child in a session of its own: Ctrl-C is ours to handle, the server goes last.

    It asks nobody about newer versions, and its notes go to our cache instead of the user's home.
    """
    home = cache_dir() / "temporal-home"
    home.mkdir(parents=True, exist_ok=True)
    ours = {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "TEMPORAL_VERSION_CHECK_DISABLED": "1",
    }
    return subprocess.Popen(
        command,
        env=os.environ | ours,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


async def stop_server(server: Server) -> None:
    """End the embedded server by its process id: politely, then not."""
    process = server.process
    if process is None:
        return
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        await asyncio.to_thread(process.wait, STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        await asyncio.to_thread(process.wait)


def _flags(options: ServerOptions, port: int, ui_port: int | None) -> list[str]:
    flags = ["server", "start-dev", "--ip", LOOPBACK, "--port", str(port)]
    flags += ["--namespace", options.namespace, "--log-level", options.log_level]
    flags += ["--ui-port", str(ui_port)] if ui_port else ["--headless"]
    for name, value in {**DYNAMIC_CONFIG, **options.dynamic}.items():
        flags += ["--dynamic-config-value", f"{name}={value}"]
    for key in SEARCH_ATTRIBUTES:
        flags += ["--search-attribute", f"{key.name}={SEARCH_TYPES[key.indexed_value_type]}"]
    if options.database:
        options.database.parent.mkdir(parents=True, exist_ok=True)
        flags += ["--db-filename", str(options.database)]
        for name, value in SQLITE_PRAGMAS.items():
            flags += ["--sqlite-pragma", f"{name}={value}"]
    return flags


def _take_port(wanted: int | None, what: str) -> int:
    """The wanted port if nothing listens there, or a free one."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, wanted or 0))
        except OSError as error:
            raise DependencyError(
                f"{what}: expected port {wanted} to be free, found it in use ({error.strerror}): "
                "choose another, or set TEMPORAL_ADDRESS to the server that runs there"
            ) from None
        port: int = probe.getsockname()[1]
        return port


def _open_log(path: Path | None) -> IO[bytes]:
    if path is None:
        return tempfile.TemporaryFile()
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.open("a+b")


def _last_words(log: IO[bytes]) -> str:
    log.seek(0)
    lines = log.read().decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "(none)"


async def await_frontend(
    address: str,
    namespace: str,
    process: subprocess.Popen[bytes] | None,
    seconds: int,
    query: str = "WorkflowType = 'none'",
) -> None:
    """Wait until the frontend is healthy, knows the namespace and understands the query."""
    deadline = time.monotonic() + seconds
    while True:
        if process is not None and process.poll() is not None:
            raise DependencyError(f"Temporal server ended at once, code {process.returncode}")
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                client = await Client.connect(address, namespace=namespace)
                await client.service_client.check_health()
                await client.count_workflows(query)
        except (RuntimeError, RPCError, TimeoutError) as error:
            if time.monotonic() > deadline:
                raise DependencyError(
                    f"Temporal: expected a server for namespace {namespace!r} at {address} "
                    f"within {seconds} s, found: {str(error) or 'no answer'}"
                ) from None
            await asyncio.sleep(POLL_SECONDS)
        else:
            return


async def register_search_attributes(address: str, namespace: str) -> None:
    """Create the search attributes that a server of others lacks, and wait until it knows them."""
    client = await Client.connect(address, namespace=namespace)
    operator = client.operator_service
    try:
        listed = await operator.list_search_attributes(
            ListSearchAttributesRequest(namespace=namespace)
        )
        missing = [key for key in SEARCH_ATTRIBUTES if key.name not in listed.custom_attributes]
        if not missing:
            return
        types = {key.name: IndexedValueType.ValueType(key.indexed_value_type) for key in missing}
        await operator.add_search_attributes(
            AddSearchAttributesRequest(namespace=namespace, search_attributes=types)
        )
    except RPCError as error:
        names = ", ".join(
            f"{key.name}={SEARCH_TYPES[key.indexed_value_type]}" for key in SEARCH_ATTRIBUTES
        )
        raise DependencyError(
            f"Temporal at {address}: expected search attributes {names} in namespace "
            f"{namespace!r}, could not create them: {error.message}; "
            "`temporal operator search-attribute create` does it with an operator's rights"
        ) from None
    await await_frontend(address, namespace, None, START_SECONDS, f"{missing[-1].name} IS NULL")


async def _ensure() -> str:
    """What a later run will use: the address of a server that answers, or the binary."""
    if address := os.environ.get("TEMPORAL_ADDRESS"):
        namespace = os.environ.get("TEMPORAL_NAMESPACE", "default")
        await await_frontend(address, namespace, None, REACH_SECONDS)
        return address
    return str(await asyncio.to_thread(ensure_binary))


def main(argv: list[str]) -> int:
    """`ensure` prints the binary's path (or the server's address) on stdout."""
    try:
        if argv != ["ensure"]:
            raise UsageError(f"app.temporal: expected the one argument `ensure`, found {argv}")
        sys.stdout.write(asyncio.run(_ensure()) + "\n")
    except LockstepError as error:
        say_on_stderr(f"error: {error}")
        return error.exit_code
    return 0


if __name__ == "__main__":
    leave(main(sys.argv[1:]))
