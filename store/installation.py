"""Whose journal this is: what two installations share by mistake would mix their money."""

from sqlmodel import Session, select

from store import lease
from store.errors import ForeignDatabase
from store.tables import InstallationRow, IntentRow

WALLET = "wallet"
"""The fact of an installation that says which wallet at Polymarket it trades for."""


def belong(session: Session, wallet: str, now_ms: int) -> None:
    """Say that the journal is of this wallet (a 0x address, in any case of its letters).

    Raises ForeignDatabase where it is of another: limits, cash, the lease and what is open would be
    shared with it, and its orders asked about with the keys of this one. Until anything is traded,
    and while nobody sends for the other one, a wallet that was mistyped may be corrected. A key at
    Kalshi tells no account: it is changed from time to time.
    """
    row = session.get(InstallationRow, WALLET)
    if row is None:
        session.add(InstallationRow(key=WALLET, value=wallet))
    elif row.value.lower() != wallet.lower():
        traded = session.exec(select(IntentRow.id).limit(1)).first()
        if traded is not None or lease.holders(session, now_ms):
            raise ForeignDatabase(
                f"this journal is of the wallet {row.value}, and polymarket.funder is {wallet}. Go "
                "on with that wallet, or give this one a journal of its own by "
                "database.schema_name (for a file: database.path)"
            )
        row.value = wallet
