"""Golden histories: the saga of today still replays what earlier runs recorded."""

import base64
import hashlib
import re
from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from app.payloads import DATA_CONVERTER
from tests.support.processes import ROOT, Child
from tests.workflows.plays import PLAYS
from tests.workflows.record_histories import HISTORIES, SUMS
from workflows.arbitrage import ArbitrageWorkflow
from workflows.reconcile import ReconcileWorkflow

FROM_OLDER = {"left_behind_when_suggested", "carried_on_when_suggested", "closed_as_it_ended"}
"""Of executors that went by the server's word on how long a history is, and of one that answered a
close before its end was written down."""
GOLDEN = sorted(HISTORIES.glob("*.json"))
MACHINE = re.compile(r"/(home|root|Users|tmp|work|usr)/|\.py\b|site-packages")


def words(path: Path) -> str:
    """The file, and every payload in it decoded."""
    text = path.read_text(encoding="utf-8")
    payloads = re.findall(r'"data": "([A-Za-z0-9+/=]+)"', text)
    return text + "".join(base64.b64decode(one).decode(errors="replace") for one in payloads)


def history_of(path: Path) -> WorkflowHistory:
    """The recorded run."""
    return WorkflowHistory.from_json(path.stem, path.read_text(encoding="utf-8"))


def test_every_ending_cancel_and_crash_has_a_golden_history() -> None:
    assert {path.stem for path in GOLDEN} == set(PLAYS) | FROM_OLDER


def test_a_golden_history_stays_what_it_was() -> None:
    """Whoever records one anew takes from the gate the runs that may still be open."""
    listed = {
        name: digest
        for digest, name in map(str.split, SUMS.read_text(encoding="utf-8").splitlines())
    }
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in GOLDEN}
    assert found == listed


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
@pytest.mark.parametrize("strict", [False, True], ids=["open", "sandboxed"])
async def test_a_golden_history_replays(path: Path, strict: bool) -> None:
    runner = SandboxedWorkflowRunner() if strict else UnsandboxedWorkflowRunner()
    replayer = Replayer(
        workflows=[ArbitrageWorkflow, ReconcileWorkflow],
        data_converter=DATA_CONVERTER,
        workflow_runner=runner,
    )
    await replayer.replay_workflow(history_of(path))


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_a_history_holds_no_secret_and_no_path_of_a_machine(path: Path, exchanges: Child) -> None:
    said = words(path)
    keys = exchanges.ready["keys"]
    secrets = [
        keys["polymarket"][name] for name in ("private_key", "api_key", "secret", "passphrase")
    ]
    body = "".join(str(keys["kalshi"]["private_key_pem"]).splitlines()[1:3])
    for secret in (*secrets, secrets[0].removeprefix("0x"), body, "PRIVATE KEY"):
        assert secret not in said
    assert MACHINE.search(said) is None, MACHINE.search(said)
    assert str(ROOT) not in said
