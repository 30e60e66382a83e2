"""What runs beside a throwaway server ends with it, and leaves nothing behind."""

import signal
import socket
import subprocess
import sys

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


def test_a_port_that_was_taken_meanwhile_is_left_for_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken, chosen = other.getsockname()[1], free_port()
        ports = iter([taken, chosen])
        monkeypatch.setattr(postgres, "free_port", lambda: next(ports))
        with postgres.throwaway() as server:
            assert server.port == chosen
