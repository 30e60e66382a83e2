"""Short words for the tables of a migration. Their meaning is frozen: old steps depend on it."""

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from alembic import op

INT64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
# Compared and sorted byte by byte on both engines, whatever language a server speaks.
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
# A double on both engines.
REAL: sa.types.TypeEngine[Any] = sa.REAL().with_variant(sa.Double(), "postgresql")


def table(name: str, *parts: sa.Column[Any] | sa.Constraint) -> None:
    """Create a table; STRICT on SQLite, where a serial key is never used twice."""
    serial_key = any(isinstance(p, sa.Column) and p.info.get("serial") for p in parts)
    op.create_table(name, *parts, sqlite_strict=True, sqlite_autoincrement=serial_key)


def serial() -> sa.Column[Any]:
    """A key that the database counts up."""
    return sa.Column("id", INT64, primary_key=True, info={"serial": True})


def texts(names: str, null: bool = False) -> list[sa.Column[Any]]:
    """Text columns, their names separated by spaces."""
    return [sa.Column(name, TEXT, nullable=null) for name in names.split()]


def int64s(names: str, null: bool = False) -> list[sa.Column[Any]]:
    """Integer columns of 64 bits: amounts in micro-units, times in milliseconds, counters."""
    return [sa.Column(name, INT64, nullable=null) for name in names.split()]


def reals(names: str) -> list[sa.Column[Any]]:
    """REAL columns for readers, each computed from `<name>_micro`; nobody can write them."""
    return [sa.Column(name, REAL, _computed(f"{name}_micro / 1000000.0")) for name in names.split()]


def whole(name: str, micro: str) -> sa.Column[Any]:
    """An integer column for readers: the whole units in a micro column, rounded down."""
    return sa.Column(name, INT64, _computed(f"{micro} / 1000000"))


def _computed(formula: str) -> sa.Computed:
    """Worked out as it is read on SQLite; PostgreSQL before 18 has to store it."""
    return sa.Computed(formula, persisted=True if _on_postgresql() else None)


def primary(name: str, *columns: str) -> sa.Constraint:
    """The primary key."""
    return sa.PrimaryKeyConstraint(*columns, name=f"pk_{name}")


def unique(name: str, *columns: str) -> sa.Constraint:
    """No two rows share these columns."""
    return sa.UniqueConstraint(*columns, name=f"uq_{name}_{'_'.join(columns)}")


def refers(name: str, column: str, target: str) -> sa.Constraint:
    """The column names a row of another table ("table.column")."""
    label = f"fk_{name}_{column}_{target.split('.')[0]}"
    return sa.ForeignKeyConstraint([column], [target], name=label)


def check(name: str, rule: str, condition: str) -> sa.Constraint:
    """A named rule that every row keeps."""
    return sa.CheckConstraint(condition, name=f"ck_{name}_{rule}")


def known(name: str, column: str, words: str) -> sa.Constraint:
    """The column holds one of these words."""
    allowed = ", ".join(f"'{word}'" for word in words.split())
    return check(name, f"{column}_known", f"{column} IN ({allowed})")


def not_negative(name: str, columns: str) -> Iterable[sa.Constraint]:
    """Each of the columns is zero or more."""
    return [check(name, f"{column}_not_negative", f"{column} >= 0") for column in columns.split()]


def flags(name: str, columns: str) -> Iterable[sa.Constraint]:
    """Each of the columns is 0 or 1."""
    return [check(name, f"{column}_flag", f"{column} IN (0, 1)") for column in columns.split()]


def index_where(index: str, name: str, *columns: str, where: str, unique: bool = False) -> None:
    """An index over the rows that satisfy `where`."""
    rows = sa.text(where)
    op.create_index(
        index, name, list(columns), unique=unique, sqlite_where=rows, postgresql_where=rows
    )


def forbid(name: str, *actions: str) -> None:
    """Rows of the table cannot be changed or removed ("UPDATE", "DELETE") by anybody."""
    message = f"{name} rows stay as they are"
    for action in actions:
        _abort(f"{name}_no_{action.lower()}", f"{action} ON {name}", message)
    if "DELETE" in actions and _on_postgresql():
        _abort(f"{name}_no_truncate", f"TRUNCATE ON {name}", message, each="STATEMENT")


def fixed(name: str, *columns: str) -> None:
    """These columns keep the value they were written with."""
    _abort(f"{name}_fixed", f"UPDATE OF {', '.join(columns)} ON {name}", f"{name} keep their facts")


def _abort(trigger: str, event: str, message: str, each: str = "ROW") -> None:
    """Both engines report it as a broken rule of integrity."""
    if not _on_postgresql():
        op.execute(
            f"CREATE TRIGGER {trigger} BEFORE {event} BEGIN SELECT RAISE(ABORT, '{message}'); END"
        )
        return
    op.execute(
        f"CREATE FUNCTION {trigger}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION "
        f"'{message}' USING ERRCODE = 'integrity_constraint_violation'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {trigger} BEFORE {event} FOR EACH {each} EXECUTE FUNCTION {trigger}()"
    )


def _on_postgresql() -> bool:
    return bool(op.get_bind().dialect.name == "postgresql")
