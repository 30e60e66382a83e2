"""Every message, from the fills of a real executor on the simulated exchanges."""

import re
from pathlib import Path

import pytest
from temporalio.client import Client

from store.runbook import WANTS
from tests.notify.stage import stage, timeless
from tests.notify.stories import ANNOUNCED, GOLDEN, STORIES, tell
from tests.notify.troubles import TROUBLES
from tests.support.processes import ROOT

TOLD = [*STORIES, *ANNOUNCED, *TROUBLES]


@pytest.mark.parametrize("name", TOLD)
async def test_the_message_is_the_golden_one(
    name: str, temporal_client: Client, task_queue: str, tmp_path: Path
) -> None:
    with stage(temporal_client, task_queue, tmp_path) as scene:
        found = timeless(await tell(scene, name))
    assert found + "\n" == (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")


def test_every_golden_text_has_its_story() -> None:
    assert {file.stem for file in GOLDEN.iterdir()} == set(TOLD)


def test_every_alarm_has_a_golden_text() -> None:
    told = "".join(file.read_text(encoding="utf-8") for file in GOLDEN.iterdir())
    named = {"PROVISIONAL_STUCK": "NOT SETTLING"}
    heads = {code: named.get(code, code.replace("_", " ")) for code in WANTS}
    assert {code for code, head in heads.items() if f" {head} " not in told} == set()


def test_every_alarm_of_the_runbook_says_what_it_wants_of_its_reader() -> None:
    runbook = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8").split("a runbook")[1]
    assert set(re.findall(r"^\| `([A-Z_]+)` \|", runbook, re.M)) == set(WANTS)
