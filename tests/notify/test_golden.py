"""Every message, from the fills of a real executor on the simulated exchanges."""

from pathlib import Path

import pytest
from temporalio.client import Client

from tests.notify.stories import ANNOUNCED, GOLDEN, STORIES, stage, tell, timeless


@pytest.mark.parametrize("name", [*STORIES, *ANNOUNCED])
async def test_the_message_is_the_golden_one(
    name: str, temporal_client: Client, task_queue: str, tmp_path: Path
) -> None:
    async with stage(temporal_client, task_queue, tmp_path) as desk:
        found = timeless(await tell(desk, name))
    assert found + "\n" == (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")


def test_every_golden_text_has_its_story() -> None:
    assert {file.stem for file in GOLDEN.iterdir()} == {*STORIES, *ANNOUNCED}
