"""One process of a run: `python -m app.process executor|api|notifier`.

It is told everything by its environment. Its first line of stdout says, in JSON, that it is
ready; an error is one line of stderr.
"""

import os
import sys
from contextlib import suppress

import uvloop

from app.children import say_ready
from app.config import Config
from app.config_sources import load_config
from app.errors import LockstepError, UsageError
from app.executor import run_executor
from app.leave import leave
from app.logs import set_up_logs
from app.notifier import run_notifier
from app.responsive import stay_responsive
from app.run import stop_event
from app.web import run_api


async def _executor(config: Config) -> None:
    set_up_logs("executor", config)
    await run_executor(config, stop_event(), lambda: say_ready({"ready": True, "pid": os.getpid()}))


async def _api(config: Config) -> None:
    set_up_logs("api", config)
    await run_api(
        config,
        stop_event(),
        lambda url: say_ready({"ready": True, "pid": os.getpid(), "url": url}),
    )


async def _notifier(config: Config) -> None:
    set_up_logs("notifier", config)
    await run_notifier(config, stop_event(), lambda: say_ready({"ready": True, "pid": os.getpid()}))


PROCESSES = {"executor": _executor, "api": _api, "notifier": _notifier}
TRADES = frozenset({"executor"})
"""Who needs the venues' keys; the others are better off without them."""
STEPS_BACK = 5
"""Nice value of the others: on a machine that is busy, orders come before pages and messages."""


def main(argv: list[str]) -> int:
    """Run the named process; the exit codes are those of the command."""
    try:
        if len(argv) != 1 or argv[0] not in PROCESSES:
            raise UsageError(f"expected one of {', '.join(PROCESSES)}, found {argv}")
        if argv[0] not in TRADES:
            with suppress(PermissionError):  # where a service manager forbids it
                os.nice(STEPS_BACK)
        stay_responsive()
        uvloop.run(PROCESSES[argv[0]](load_config(trades=argv[0] in TRADES).config))
    except LockstepError as error:
        sys.stderr.write(f"error: {error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    leave(main(sys.argv[1:]))
