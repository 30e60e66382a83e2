"""Settings of the interpreter for a process in which orders wait for it."""

import gc
import sys

SWITCH_SECONDS = 0.0005
COLLECT_AFTER = 20_000
COLLECT_OLDER_AFTER = (20, 50)


def stay_responsive() -> None:
    """Ask for short waits, once everything is imported.

    Threads of the journal and of workflows have the interpreter soon: by default each statement of
    theirs may wait 5 ms for a busy event loop. The garbage collector leaves alone what the imports
    made, and comes seldom: walking through all of it took a quarter of the time of a busy executor.
    """
    sys.setswitchinterval(SWITCH_SECONDS)
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER, *COLLECT_OLDER_AFTER)
