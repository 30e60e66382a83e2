"""When another executor is better placed to send than this one (decision 0018).

First comes whom Temporal answers: without it nothing is sold back. Then whose machine is fit.
"""

from collections.abc import Callable

from sqlmodel import Session

from app.reach import Reach
from store import presence
from store.presence import Presence

CUT_OFF_SECONDS = 10.0
"""For so long Temporal may be silent here before another one is preferred: longer than a server
takes to start anew, which all of them notice."""
STEADY_MS = 5_000
"""For so long it must have answered the other one."""


class Precedence:
    """Of one executor, among those that report in its journal."""

    def __init__(self, name: str, reach: Reach, unfit: Callable[[], str | None]) -> None:
        """`unfit` says why no entry may leave this machine; None where it is fit."""
        self._name = name
        self._reach = reach
        self._unfit = unfit

    def report(self) -> dict[str, object]:
        """What the others judge this one by."""
        return {"answered_ms": self._reach.answered_ms, "unfit": self._unfit()}

    def of_another(self, session: Session, holds: bool, now_ms: int) -> str | None:
        """Why another one is to have the lease; None where nobody is better placed. Whoever `holds`
        it keeps it while it can do everything but enter."""
        cut_off = self._reach.silent_s >= CUT_OFF_SECONDS
        unfit = None if holds else self._unfit()
        if not cut_off and unfit is None:
            return None
        for other in presence.standing_by(session, self._name, now_ms):
            if not _answered(other):
                continue
            if cut_off:
                return f"Temporal answers {other.name}, and not this one"
            if _fit(other):
                return f"{other.name} is fit, and here {unfit}"
        return None


def _answered(other: Presence) -> bool:
    """An executor of an older version does not say; nor whether it is fit."""
    for_ms = other.report.get("answered_ms")
    return isinstance(for_ms, int) and for_ms >= STEADY_MS


def _fit(other: Presence) -> bool:
    return other.report.get("unfit", "") is None
