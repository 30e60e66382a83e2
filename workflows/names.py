"""Names that cross a process boundary."""

ARBITRAGE = "ArbitrageWorkflow"
SNAPSHOT = "snapshot"
CLOSE_POSITION = "close_position"
RETRY_UNWIND = "retry_unwind"
HOLD = "hold"
MARK_RESOLVED = "mark_resolved"

RECONCILE = "ReconcileWorkflow"
RECONCILE_ID = "reconcile"

_PREFIX = "arb-"
_ADOPTED = ":adopt-"


def arb_id(opportunity_key: str) -> str:
    """The workflow id of the arbitrage that takes this opportunity."""
    return _PREFIX + opportunity_key


def workflow_id(arb_id: str, adopted: int = 0) -> str:
    """The workflow that carries an arbitrage: its first one, or the one that adopted it last."""
    return f"{arb_id}{_ADOPTED}{adopted}" if adopted else arb_id


def arb_of(workflow_id: str) -> str:
    """The arbitrage that a workflow carries."""
    return workflow_id.partition(_ADOPTED)[0]
