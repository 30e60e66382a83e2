"""A process that dies while it hands out a message, or notes that it arrived, loses none."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from store import outbox
from store.engine import Database
from store.journal import Journal
from tests.store.builders import NOW, put_message
from tests.support.places import place

LEASE_MS = 5_000
CHILD = f"""
import sys
from pathlib import Path
from store import outbox
from store.engine import Database
from tests.support.places import place

database = Database(place(Path(sys.argv[1])))
if sys.argv[2] == "insert":
    database.write_here(lambda s: outbox.put(s, "second", "test", {{}}, {NOW}))
elif sys.argv[2] == "claim":
    database.write_here(lambda s: outbox.claim(s, {NOW}, {LEASE_MS}, 10))
else:
    database.write_here(lambda s: outbox.sent(s, 1, {NOW}))
"""


def dies(path: Path, part: str) -> None:
    """A process is killed at this part of the outbox's work."""
    child = subprocess.run(
        [sys.executable, "-c", CHILD, str(path), part],
        env={**os.environ, "FP": f"P17/{part}:1"},
        cwd=Path(__file__).resolve().parents[2],
        check=False,
    )
    assert child.returncode == -signal.SIGKILL


@pytest.mark.parametrize("part", ["insert", "claim", "mark"])
async def test_a_message_is_due_until_it_is_known_to_have_arrived(
    tmp_path: Path, part: str
) -> None:
    path = tmp_path / "journal.sqlite3"
    journal = Journal.open(place(path), NOW)
    await put_message(journal, "first", "test", {}, NOW)
    journal.close()
    dies(path, part)
    database = Database(place(path))
    try:
        due = database.write_here(lambda s: outbox.claim(s, NOW + LEASE_MS, LEASE_MS, 10))
        assert [message.id for message in due] == [1], "not lost, and nothing half written"
        database.write_here(lambda s: outbox.sent(s, 1, NOW + LEASE_MS))
        later = NOW + 10 * LEASE_MS
        assert database.write_here(lambda s: outbox.claim(s, later, LEASE_MS, 10)) == []
    finally:
        database.close()
