"""Child processes of tests: started, awaited by their first words, ended by their id."""

import json
import os
import secrets
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
READY_SECONDS = 90
STOP_SECONDS = 10
PORTS = range(10_000, 20_000)
"""The kernel's own begin at 32768, those of `tests.deploy.installation` at 20000."""


@dataclass(frozen=True, slots=True)
class Child:
    """A process that has said that it is ready, and what it said."""

    process: subprocess.Popen[bytes]
    ready: Mapping[str, Any]

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        self.process.kill()
        self.process.wait()


@contextmanager
def python_module(
    module: str,
    *arguments: str,
    environment: Mapping[str, str] | None = None,
    ready_seconds: float = READY_SECONDS,
) -> Iterator[Child]:
    """Run `python -m module`; the block starts once its first line of stdout, JSON, is there.
    `environment` is added to our own."""
    process = subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        env={**os.environ, **(environment or {})},
    )
    try:
        yield Child(process, json.loads(_first_line(process, module, ready_seconds)))
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        assert process.stdout is not None
        process.stdout.close()


def run_sim(*arguments: str) -> AbstractContextManager[Child]:
    """Both simulated exchanges on free ports; `.ready` holds their URLs, test keys and control."""
    return python_module("sim.main", "--polymarket-port", "0", "--kalshi-port", "0", *arguments)


def _first_line(process: subprocess.Popen[bytes], module: str, seconds: float) -> bytes:
    """The first line of stdout, read from the descriptor so that nothing is buffered away."""
    assert process.stdout is not None
    descriptor = process.stdout.fileno()
    deadline = time.monotonic() + seconds
    line = b""
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        while not line.endswith(b"\n"):
            if not selector.select(timeout=max(0, deadline - time.monotonic())):
                raise TimeoutError(f"{module}: expected a line of JSON in {seconds} s")
            byte = os.read(descriptor, 1)
            if not byte:
                raise RuntimeError(f"{module} ended with code {process.wait()}, found {line!r}")
            line += byte
    return line


def free_port() -> int:
    """A port of this machine that nobody has now, and none of those that the kernel gives to every
    connection that begins: what listens there later, or is started again, finds it free."""
    while True:
        port = PORTS.start + secrets.randbelow(len(PORTS))
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
