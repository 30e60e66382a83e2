"""The alarm of somebody who tries passwords, and when it is over."""

from collections.abc import Iterable

from store.alarms import Alarm
from store.journal import Journal
from store.states import Severity
from store.tables import AlarmRow

CODE, KEY = "LOGIN_LOCKOUT", "login_lockout"
QUIET_MS = 15 * 60_000
"""So long nobody had to wait for a login: then it is over."""


def lockout(peer: str) -> Alarm:
    """Logins from `peer` come faster than they are answered."""
    return Alarm(
        KEY,
        "LOGIN_LOCKOUT",
        Severity.AMBER,
        f"logins from {peer} come faster than a person types them; the next ones have to wait",
    )


async def settle(journal: Journal, found: Iterable[AlarmRow], now_ms: int) -> None:
    """Close the alarm where nobody had to wait for QUIET_MS."""
    for row in found:
        if row.code == CODE and now_ms - row.repeated_ms >= QUIET_MS:
            minutes = QUIET_MS // 60_000
            await journal.close_alarm(row.key, f"no login had to wait for {minutes} min", now_ms)
