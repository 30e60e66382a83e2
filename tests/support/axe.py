"""What axe says, in lines that can be read."""

from typing import Any


def serious(violations: list[dict[str, Any]]) -> list[str]:
    """The serious and critical findings, one line per element."""
    return [
        f"{v['id']}: {node['html'][:120]} {node.get('failureSummary', '')[:160]}"
        for v in violations
        if v["impact"] in {"serious", "critical"}
        for node in v["nodes"]
    ]
