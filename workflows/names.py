"""Names that cross a process boundary."""

TASK_QUEUE = "arb-exec"
ARBITRAGE = "ArbitrageWorkflow"
SNAPSHOT = "snapshot"
CLOSE_POSITION = "close_position"
RETRY_UNWIND = "retry_unwind"
HOLD = "hold"
MARK_RESOLVED = "mark_resolved"

_PREFIX = "arb-"


def arb_id(opportunity_key: str) -> str:
    """The workflow id of the arbitrage that takes this opportunity."""
    return _PREFIX + opportunity_key
