"""One journal per test, in a file of its own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from store.journal import Journal
from tests.store.builders import ready


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    """Enabled, default limits, a thousand dollars at both venues."""
    opened = await ready(tmp_path / "journal.db")
    yield opened
    opened.close()
