"""A disk that does not write, for one process: the kernel refuses it every write to a file, as a
full or failing disk does."""

import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

LIMITS = pytest.mark.skipif(sys.platform != "linux", reason="needs prlimit")


@contextmanager
def writing_nothing(pid: int) -> Iterator[None]:
    """Within the block no file of that process grows or changes."""
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)
