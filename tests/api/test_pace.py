"""A page hears of what another process wrote long before the next look at everything is due."""

import pytest
from temporalio.client import Client

from store.audit import Act
from store.journal import Journal
from tests.api.harness import serving

SLOW_SECONDS = 60


async def test_what_happens_is_told_before_the_next_look_is_due(
    journal: Journal, temporal_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving(journal, temporal_client) as api, api.page() as page:
        await page.next("init")
        monkeypatch.setattr("api.pace.PULSE_SECONDS", SLOW_SECONDS)
        for version, bet in ((2, "11"), (3, "12")):
            await journal.settings.update({"max_bet": bet}, version - 1, Act("ada", "test", 1))
            told = await page.next("settings_changed")
            assert told["data"]["meta"]["version"] == version
