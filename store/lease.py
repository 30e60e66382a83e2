"""Who may send orders: one process per venue account, by a lease that a fencing epoch guards.

The lease is asked for once more in the transaction that marks an order as sent. What it grants
ends before the lease does, so that a process which was paused finds its leave expired.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from sqlmodel import Session, col, select

from domain.venue import Venue
from store import audit, rows
from store.audit import Act
from store.tables import SenderLeaseRow

_LEASES = rows.table(SenderLeaseRow)
_LEASE = sa.select(_LEASES.c.holder, _LEASES.c.epoch, _LEASES.c.expires_ms).where(
    _LEASES.c.account == sa.bindparam("account")
)
LEASE_MS = 2_000
"""How long a lease lasts without being renewed (wall clock)."""
FIRST_BYTE_MS = 500
"""How long after its order was marked as sent a first byte may leave."""
SKEW_MS = 1_000
"""So far apart may the clocks be by which two executors judge a lease (`app.fitness`)."""


@dataclass(frozen=True, slots=True)
class Claim:
    """`holder` sends for these accounts, each under its epoch: {venue: (account, epoch)}."""

    holder: str
    epochs: Mapping[Venue, tuple[str, int]]


@dataclass(frozen=True, slots=True)
class Held:
    """Somebody else sends for one of the accounts, until `expires_ms` at least."""

    account: str
    holder: str
    expires_ms: int


def take(session: Session, holder: str, accounts: Mapping[Venue, str], now_ms: int) -> Claim | Held:
    """Take or renew the lease of all accounts, or of none. Each change of hands starts a new
    epoch."""
    known = {venue: session.get(SenderLeaseRow, account) for venue, account in accounts.items()}
    for row in known.values():
        if row is not None and row.holder != holder and row.expires_ms > now_ms:
            return Held(row.account, row.holder, row.expires_ms)
    epochs = {}
    for venue, account in accounts.items():
        row = known[venue]
        if row is None:
            row = SenderLeaseRow(
                account=account, venue=venue, holder="", epoch=0, since_ms=now_ms, expires_ms=0
            )
        if row.holder != holder:
            detail = {"epoch": row.epoch + 1, "after": row.holder}
            audit.record(session, Act(holder, "lease", now_ms), "take_lease", account, detail)
            row.holder, row.epoch, row.since_ms = holder, row.epoch + 1, now_ms
        row.expires_ms = now_ms + LEASE_MS
        session.add(row)
        epochs[venue] = (account, row.epoch)
    return Claim(holder, epochs)


def release(session: Session, claim: Claim, now_ms: int) -> None:
    """Let somebody else take over at once. What is no longer ours stays as it is."""
    for account, epoch in claim.epochs.values():
        row = session.get(SenderLeaseRow, account)
        if row is not None and (row.holder, row.epoch) == (claim.holder, epoch):
            row.expires_ms = min(row.expires_ms, now_ms)


def refusal(session: Session, venue: Venue, claim: Claim | None, now_ms: int) -> str | None:
    """Why this process may not send to the venue now; None where it may for FIRST_BYTE_MS.

    Without a claim nobody may send for an account that a process ever held. A lease that is about
    to run out by anybody's clock, or has, and that nobody took meanwhile is renewed here: this
    transaction holds the write lock, so nobody takes it before the first byte has left.
    """
    if claim is None:
        leases = select(SenderLeaseRow).where(SenderLeaseRow.venue == venue)
        held = session.exec(leases.order_by(col(SenderLeaseRow.expires_ms).desc())).first()
        return None if held is None else f"{held.holder} sends for {held.account}"
    account, epoch = claim.epochs[venue]
    row = rows.first_of(session, _LEASE, account=account)
    if row is None or (row.holder, row.epoch) != (claim.holder, epoch):
        now = "nobody" if row is None else f"{row.holder} under epoch {row.epoch}"
        return f"{claim.holder} held {account} under epoch {epoch}, now it is {now}"
    if row.expires_ms < now_ms + FIRST_BYTE_MS + SKEW_MS:
        session.get_one(SenderLeaseRow, account).expires_ms = now_ms + LEASE_MS
    return None


def holders(session: Session, now_ms: int) -> dict[str, str]:
    """Who holds which account now, by account."""
    columns = select(SenderLeaseRow.account, SenderLeaseRow.holder)
    return dict(session.exec(columns.where(SenderLeaseRow.expires_ms > now_ms)).all())
