"""The column types of every table, and the base class that names their constraints.

Only integers and text: STRICT tables on SQLite take nothing else, and no amount can become binary.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated, Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Dialect,
    ForeignKeyConstraint,
    Integer,
    MetaData,
    Text,
)
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field, SQLModel

Int64 = BigInteger().with_variant(Integer(), "sqlite")


class Flag(TypeDecorator[bool]):
    """True and False as 1 and 0 in an integer column."""

    impl = Int64
    cache_ok = True

    def process_bind_param(self, value: bool | None, _dialect: Dialect) -> int | None:
        """What is written."""
        return None if value is None else int(value)

    def process_result_value(self, value: int | None, _dialect: Dialect) -> bool | None:
        """What is read."""
        return None if value is None else bool(value)


Key = Annotated[str, Field(sa_type=Text, primary_key=True)]
Serial = Annotated[int | None, Field(sa_type=Int64, primary_key=True)]
KeyNumber = Annotated[int, Field(sa_type=Int64, primary_key=True)]
String = Annotated[str, Field(sa_type=Text)]
OptString = Annotated[str | None, Field(sa_type=Text)]
Json = Annotated[str, Field(sa_type=Text)]
Number = Annotated[int, Field(sa_type=Int64)]
OptNumber = Annotated[int | None, Field(sa_type=Int64)]
Micro = Annotated[int, Field(sa_type=Int64)]
OptMicro = Annotated[int | None, Field(sa_type=Int64)]
Millis = Annotated[int, Field(sa_type=Int64)]
OptMillis = Annotated[int | None, Field(sa_type=Int64)]
Bool = Annotated[bool, Field(sa_type=Flag)]
OptBool = Annotated[bool | None, Field(sa_type=Flag)]

STRICT: dict[str, Any] = {"sqlite_strict": True}
STRICT_SERIAL: dict[str, Any] = {"sqlite_strict": True, "sqlite_autoincrement": True}


class Base(SQLModel):
    """Every table; the names of constraints are fixed so that migrations can speak of them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


def one_of(column: str, words: Iterable[StrEnum | str]) -> CheckConstraint:
    """The column holds one of these words."""
    allowed = ", ".join(f"'{word}'" for word in words)
    return CheckConstraint(f"{column} IN ({allowed})", name=f"{column}_known")


def not_negative(*columns: str) -> tuple[CheckConstraint, ...]:
    """Each of the columns is zero or more."""
    return tuple(CheckConstraint(f"{c} >= 0", name=f"{c}_not_negative") for c in columns)


def flags(*columns: str) -> tuple[CheckConstraint, ...]:
    """Each of the columns is 0 or 1."""
    return tuple(CheckConstraint(f"{c} IN (0, 1)", name=f"{c}_flag") for c in columns)


def refers(column: str, target: str) -> ForeignKeyConstraint:
    """The column names a row of another table ("table.column")."""
    return ForeignKeyConstraint([column], [target])
