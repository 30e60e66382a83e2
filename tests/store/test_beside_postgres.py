"""What runs beside a throwaway server ends with it, and leaves nothing behind."""

import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support import postgres
from tests.support.processes import free_port

pytestmark = pytest.mark.postgres
COMMAND = (
    "import os, signal, sys, time; "
    "signal.signal(signal.SIGTERM, lambda *_: sys.exit(7)); "
    "print(os.environ['TEST_POSTGRES_URL'], flush=True); time.sleep(60)"
)


def test_a_sigterm_ends_the_command_and_then_the_server() -> None:
    beside = [sys.executable, "-m", "tests.support.postgres", sys.executable, "-c", COMMAND]
    with subprocess.Popen(beside, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = process.stdout.readline().rpartition(":")[2].partition("/")[0]
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 7
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", int(port)), timeout=5)


def test_a_sigterm_while_the_server_is_made_ends_it_in_order_too() -> None:
    command = [sys.executable, "-c", "import time; time.sleep(60)"]
    with subprocess.Popen([sys.executable, "-m", "tests.support.postgres", *command]) as process:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        deadline = time.monotonic() + 30
        while not children.read_text(encoding="ascii"):
            assert time.monotonic() < deadline, "expected initdb"
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 256 - signal.SIGTERM, "by the command's end, not by ours"


def test_a_port_that_was_taken_meanwhile_is_left_for_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken, chosen = other.getsockname()[1], free_port()
        ports = iter([taken, chosen])
        monkeypatch.setattr(postgres, "free_port", lambda: next(ports))
        with postgres.throwaway() as server:
            assert server.port == chosen


def test_a_port_that_is_chosen_is_none_that_a_connection_is_given() -> None:
    """Or a server that is stopped and started again may find a client of somebody else on it."""
    given = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text(encoding="ascii")
    first, last = (int(word) for word in given.split())
    assert not set(range(first, last + 1)) & {free_port() for _ in range(50)}
