"""`python -m tests.chaos.opener open|copy DATABASE [TARGET]`: a process that may die at it."""

import sys
import time
from pathlib import Path

from store.journal import Journal
from store.sqlite import backup, reader_engine


def main(act: str, database: str, target: str = "") -> None:
    """Open (and so upgrade) a journal, or copy it whole."""
    path = Path(database)
    if act == "open":
        Journal.open(path, time.time_ns() // 1_000_000).close()
    else:
        engine = reader_engine(path)
        backup(engine, Path(target))
        engine.dispose()


if __name__ == "__main__":
    main(*sys.argv[1:])
