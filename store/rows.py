"""Rows as plain statements, each compiled once: for the transactions that an order waits for.

The unit of work reads a row before it writes one and keeps both in memory; where nothing of that
is needed it takes several times as long as the database does. What was changed through the session
before is flushed first, so that a transaction may use both.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from store.tables import Base


def table(row: type[Base]) -> sa.Table:
    """The table of a row class."""
    found = row.metadata.tables[str(row.__tablename__)]
    assert isinstance(found, sa.Table)
    return found


def insert(session: Session, row: type[Base], *values: Mapping[str, object]) -> None:
    """Write one row for each of `values`; a column that is not named has its row's default."""
    statement, defaults = _insertion(row)
    _connection(session).execute(statement, [{**defaults, **one} for one in values])


def all_of(session: Session, statement: sa.Select[Any], **given: object) -> Sequence[sa.Row[Any]]:
    """The rows of a prepared statement, with these values for its parameters."""
    return _connection(session).execute(statement, given).all()


def first_of(session: Session, statement: sa.Select[Any], **given: object) -> sa.Row[Any] | None:
    """The first row of a prepared statement, None where there is none."""
    return _connection(session).execute(statement, given).first()


def change(session: Session, statement: sa.Update, **given: object) -> int:
    """Run a prepared update; how many rows it changed."""
    return _connection(session).execute(statement, given).rowcount


@cache
def _insertion(row: type[Base]) -> tuple[sa.Insert, dict[str, object]]:
    fields = row.model_fields.items()
    defaults = {name: field.default for name, field in fields if not field.is_required()}
    return sa.insert(table(row)), defaults


def _connection(session: Session) -> sa.Connection:
    session.flush()
    return session.connection()
