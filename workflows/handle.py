"""The typed handle of the workflow that carries an arbitrage."""

from temporalio.client import Client, WorkflowHandle

from workflows.arbitrage import ArbitrageWorkflow
from workflows.snapshot import Snapshot

ArbitrageHandle = WorkflowHandle[ArbitrageWorkflow, Snapshot]


def handle_of(client: Client, workflow_id: str) -> ArbitrageHandle:
    """The handle; nothing is asked of the server yet."""
    handle: ArbitrageHandle = client.get_workflow_handle(workflow_id, result_type=Snapshot)
    return handle
