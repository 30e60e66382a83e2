"""Differences that only a person may settle: alarms that halt, until they are gone or accepted."""

from collections.abc import Iterable

from sqlmodel import Session, col, select

from domain.reconcile import AccountView, Finding
from store import reconciliation, run_state
from store.alarms import Alarm, close, raise_alarm
from store.audit import Act
from store.states import Severity
from store.tables import AlarmRow

CODES = frozenset(
    {
        "FOREIGN_ORDER",
        "LOST_ORDER",
        "FILL_NOT_AT_VENUE",
        "FILL_CONTRADICTS",
        "POSITION_DRIFT",
        "CASH_DRIFT",
        "STRAY_WORKFLOW",
    }
)


def tell(
    session: Session, certain: Iterable[Finding], seen: Iterable[Finding], now_ms: int
) -> None:
    """Raise an alarm for each certain finding and halt entries; close the alarms of findings that
    were not `seen` any more.

    Where its alarm is open and yet nothing is halted, a person has resumed knowing of it: the
    finding is accepted as it is.
    """
    keys = {one.key for one in seen}
    open_rows = select(AlarmRow).where(
        col(AlarmRow.closed_ms).is_(None), col(AlarmRow.code).in_(CODES)
    )
    alarms = {row.key: row for row in session.exec(open_rows)}
    for key in alarms.keys() - keys:
        close(session, key, "a whole report does not show it any more", now_ms)
    halted = run_state.read(session).halted
    for one in certain:
        if one.key in alarms and not halted:
            reconciliation.accept(session, one, "resumed by an operator", now_ms)
            close(session, one.key, "an operator resumed trading knowing of it", now_ms)
            continue
        if one.code == "LOST_ORDER":
            reconciliation.mark_restored(session, one.detail, now_ms)
        raise_alarm(session, Alarm(one.key, one.code, Severity.RED, one.detail), now_ms)
        if one.key not in alarms:
            act = Act("lockstep", "reconciler", now_ms)
            run_state.halt(session, f"{one.code}: {one.detail}", act)


def accept_first(session: Session, account: AccountView, now_ms: int) -> None:
    """What the account held before the first report is its own."""
    for one in reconciliation.first_offsets(session, account):
        reconciliation.accept(session, one, "first report", now_ms)
