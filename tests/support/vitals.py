"""What a process takes of this machine, as Linux tells it: memory, open files, processor time."""

import os
from collections.abc import Sequence
from pathlib import Path

TOLD = Path("/proc/self/fd").is_dir()
"""Whether this system tells."""
_TICKS = os.sysconf("SC_CLK_TCK")


def descriptors(pid: int) -> int:
    """How many files, sockets and pipes it has open."""
    return len(os.listdir(f"/proc/{pid}/fd"))


def resident_kb(pid: int) -> int:
    """Memory that is in use and in RAM (KB); ProcessLookupError where it has ended."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise ProcessLookupError(pid)  # it ended, and nobody has waited for it yet


def processor_ms(pid: int) -> int:
    """Processor time so far, its own and the kernel's for it (ms)."""
    # The name, in brackets, may hold spaces.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1_000 // _TICKS


def children(pid: int) -> list[int]:
    """Those it has started and that run."""
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def slope(points: Sequence[tuple[float, float]]) -> float | None:
    """How much y grows with one x: the straight line with the least squares; None for no line."""
    number = len(points)
    mean_x = sum(x for x, _ in points) / max(number, 1)
    mean_y = sum(y for _, y in points) / max(number, 1)
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    if not spread:
        return None
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / spread
