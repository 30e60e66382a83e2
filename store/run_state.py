"""May entries leave? Enabled, halted, and the epoch that fences what was admitted before.

A disable or a halt takes effect for every later gate at once. An order whose sibling has already
left may follow it for LEASE_MS, so that stopping never makes a naked leg: whoever stops entries
waits until the last of these has left too (STOPPED_AFTER_MS) before saying that they are stopped.
"""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlmodel import Session

from domain.venue import Venue
from store import alarms, audit, outbox, rows
from store.alarms import Alarm
from store.audit import Act
from store.lease import FIRST_BYTE_MS
from store.states import Severity
from store.tables import RunStateRow, SettingsRow

LEASE_MS = 250
STOPPED_AFTER_MS = LEASE_MS + FIRST_BYTE_MS
"""After a stop the last first byte leaves within this time, even from a process that paused."""


@dataclass(frozen=True, slots=True)
class RunState:
    """`enabled` is the operator's switch, `halted` the latch that a broken invariant sets."""

    enabled: bool
    epoch: int
    settings_version: int
    halted: bool
    reason: str | None
    by: str | None
    since_ms: int | None

    @property
    def stopped(self) -> str | None:
        """Why no entry may leave, None where it may."""
        if self.halted:
            return f"halted: {self.reason}"
        return None if self.enabled else "disabled"

    def word(self, *, alive: bool) -> str:
        """The state in one word, as every surface says it: HALTED also where no executor runs,
        and OFF where none does (`alive`), whatever it would be allowed."""
        if self.halted:
            return "HALTED"
        if not alive:
            return "OFF"
        return "RUNNING" if self.enabled else "PAUSED"


# Read by the gate and by every order: columns only, by a statement that is compiled once.
_SETTINGS, _STATE = rows.table(SettingsRow), rows.table(RunStateRow)
_READ = sa.select(
    _SETTINGS.c.enabled,
    _STATE.c.epoch,
    _SETTINGS.c.version.label("settings_version"),
    _STATE.c.halted,
    _STATE.c.halted_reason.label("reason"),
    _STATE.c.halted_by.label("by"),
    _STATE.c.halted_since_ms.label("since_ms"),
).where(_SETTINGS.c.id == _STATE.c.id)


def read(session: Session) -> RunState:
    """The state that this transaction sees."""
    state = rows.first_of(session, _READ)
    assert state is not None, "the journal was opened with a run state"
    return RunState(**state._mapping)


def halt(session: Session, reason: str, act: Act) -> None:
    """Latch: no entry leaves until a person resumes. The first reason stays while it holds."""
    row = session.get_one(RunStateRow, 1)
    if not row.halted:
        row.halted, row.halted_reason = True, reason
        row.halted_by, row.halted_since_ms = act.actor, act.at_ms
        row.epoch += 1
        payload = {"by": act.actor, "origin": act.origin, "reason": reason}
        outbox.put(session, f"halt/{row.epoch}", "halted", payload, act.at_ms)
    audit.record(session, act, "halt", "run_state", {"reason": reason})


def refused_by(session: Session, venue: Venue, why: str, now_ms: int) -> None:
    """The venue refuses the account, so it would every entry, and the sale of what the other venue
    makes naked: halted, under an alarm, until a person resumes."""
    message = f"{venue} refuses this account: {why}"
    halt(session, message, Act("lockstep", "venue", now_ms))
    found = Alarm(_refused_key(venue), "ACCOUNT_REFUSED", Severity.RED, message)
    alarms.raise_alarm(session, found, now_ms)


def resume(session: Session, act: Act) -> None:
    """Release the latch; it is a person's word, and closes the alarms of a conflict and of
    an account that a venue refused: what is still wrong opens them again."""
    row = session.get_one(RunStateRow, 1)
    audit.record(session, act, "resume", "run_state", {"reason": row.halted_reason})
    if row.halted:
        payload = {"by": act.actor, "origin": act.origin, "reason": row.halted_reason}
        outbox.put(session, f"resume/{row.epoch}", "resumed", payload, act.at_ms)
    row.halted, row.halted_reason = False, None
    row.halted_by, row.halted_since_ms = None, None
    for key in (alarms.CONFLICT, *map(_refused_key, Venue)):
        alarms.close(session, key, f"{act.actor} resumed", act.at_ms)


def _refused_key(venue: Venue) -> str:
    return f"account_refused:{venue}"


def next_epoch(session: Session) -> None:
    """Fence every entry that was admitted until now."""
    session.get_one(RunStateRow, 1).epoch += 1
