"""What a command costs before it does anything: a person who types `lockstep kill` waits for it."""

import subprocess
import sys

HEAVY = ("alembic", "fastapi", "httpx", "sqlmodel", "telegram", "temporalio", "uvicorn")
LOADED = f"import sys, app.cli; print(*[one for one in {HEAVY!r} if one in sys.modules])"


def test_no_verb_loads_what_only_another_one_needs() -> None:
    told = subprocess.run(
        [sys.executable, "-c", LOADED], capture_output=True, text=True, check=True, timeout=60
    )
    assert told.stdout.split() == []
