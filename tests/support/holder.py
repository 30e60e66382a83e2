"""A process that stands still while it holds the journal's lock: `stopped_holder`.

Run as a module it takes the lock, says so, and stops itself.
"""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.driver import sqlite3
from tests.support.processes import python_module

LOCKS = ("IMMEDIATE", "EXCLUSIVE")
"""Within a transaction, and within its commit."""


@contextmanager
def stopped_holder(database: Path, lock: str) -> Iterator[None]:
    """Within the block another process holds the lock and stands still."""
    with python_module("tests.support.holder", str(database), lock) as child:
        os.waitid(os.P_PID, child.process.pid, os.WSTOPPED | os.WNOWAIT)
        try:
            yield
        finally:
            os.kill(child.process.pid, signal.SIGCONT)


def main(database: str, lock: str) -> None:
    """Take the lock and stop; let go of it when this process goes on."""
    connection = sqlite3.connect(database, isolation_level=None)
    connection.execute(f"BEGIN {lock}")
    sys.stdout.write("{}\n")
    sys.stdout.flush()
    os.kill(os.getpid(), signal.SIGSTOP)
    connection.execute("ROLLBACK")


if __name__ == "__main__":
    main(*sys.argv[1:])
