"""Whether this container's process does its work: `python -m app.health executor|notifier|URL`.

Exit code 0 where it does; otherwise 1 and one line of stderr, or the code of what hinders asking.
"""

import asyncio
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence

from app.errors import ExitCode, LockstepError, UsageError
from app.leave import leave

USAGE = "app.health: expected `executor`, `notifier` or an http:// address"
ALIVE_MS = 10_000
"""An executor reports every second."""
POLL_MS_MAX = 90_000
"""Temporal answers a poll within a minute, whether or not there is a task."""
LAG_MS_MAX = 60_000
ANSWER_SECONDS = 5


def answers(url: str) -> str | None:
    """What is wrong with the answer of an address; None where it is 200."""
    try:
        with urllib.request.urlopen(url, timeout=ANSWER_SECONDS) as reply:  # noqa: S310 - http only
            reply.read()
    except urllib.error.HTTPError as refused:
        with refused:
            return f"{url} answers {refused.code}: {refused.read(500).decode(errors='replace')}"
    except OSError as trouble:
        return f"{url} does not answer: {trouble}"
    return None


async def reports(who: str) -> str | None:
    """What is wrong with the executor of this host, or with the messages, by the journal."""
    from app.config_sources import load_config
    from app.links import wall_ms
    from app.operating.office import opened
    from store import outbox, presence

    async with opened(load_config(trades=who == "executor").config) as journal:
        if who == "executor":
            found = await journal.read(lambda s: presence.reports(s, wall_ms() - ALIVE_MS))
            return unwell([one.report for one in found], socket.gethostname(), wall_ms())
        waiting = await journal.read(outbox.backlog)
        lag_ms = 0 if waiting.oldest_ms is None else wall_ms() - waiting.oldest_ms
        late = lag_ms > LAG_MS_MAX
        return f"a message waits for {lag_ms // 1000} s" if late else None


def unwell(reports: Sequence[Mapping[str, object]], host: str, now_ms: int) -> str | None:
    """What is wrong with the executor of a host by what was reported lately; None where it is well:
    it reports, and Temporal answers its polls."""
    ours = [one for one in reports if one.get("host") == host]
    if not ours:
        return f"no executor of {host} reported in {ALIVE_MS // 1000} s"
    # An executor of an older version does not say when it polled.
    polled = [at_ms for one in ours if isinstance(at_ms := one.get("polled_ms", now_ms), int)]
    silent_ms = now_ms - max(polled, default=now_ms)
    if silent_ms > POLL_MS_MAX:
        return f"Temporal has answered no poll of the executor for {silent_ms // 1000} s"
    return None


def main(argv: list[str]) -> int:
    """Look at what is named."""
    try:
        match argv:
            case ["executor" | "notifier" as who]:
                wrong = asyncio.run(reports(who))
            case [url] if url.startswith("http://"):
                wrong = answers(url)
            case _:
                raise UsageError(f"{USAGE}, found {argv}")
    except LockstepError as error:
        sys.stderr.write(f"error: {error}\n")
        return error.exit_code
    if wrong is not None:
        sys.stderr.write(f"{wrong}\n")
        return ExitCode.FAILURE
    return ExitCode.OK


if __name__ == "__main__":
    leave(main(sys.argv[1:]))
