"""How our processes end."""

import logging
import os
import sys
from typing import NoReturn


def leave(code: int) -> NoReturn:
    """End now with this exit code, everything said first.

    The Temporal SDK's native threads race the interpreter's own ending: of 15 processes that
    ended right after using a client, 5 died of SIGABRT or SIGSEGV (temporalio 1.35.0, CPython
    3.11). Ending without that last phase leaves nothing to race.
    """
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
