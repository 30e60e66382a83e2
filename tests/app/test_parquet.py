"""What we write as Parquet another program reads back, value by value."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.parquet import Column, Kind, Value, parquet
from domain.money import NotMoney

COLUMNS = tuple(Column(kind.name.lower(), kind) for kind in Kind)
LARGEST = 10**12
VALUES: Mapping[str, st.SearchStrategy[Any]] = {
    "text": st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
    "decimal": st.integers(1 - LARGEST * 10**5, LARGEST * 10**5 - 1).map(
        lambda micro: Decimal(micro).scaleb(-6)
    ),
    "whole": st.integers(-(2**63), 2**63 - 1),
    "flag": st.booleans(),
    "time": st.integers(0, 4_102_444_800_000),
}
ROWS = st.lists(
    st.fixed_dictionaries({name: st.none() | value for name, value in VALUES.items()}),
    max_size=40,
)


def read_back(path: Path, raw: bytes) -> list[dict[str, Any]]:
    """All rows by DuckDB, a reader that shares nothing with us."""
    path.write_bytes(raw)
    with duckdb.connect() as other:
        found = other.execute("SELECT * FROM read_parquet(?)", [str(path)])
        names = [column[0] for column in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def as_read(row: Mapping[str, Value]) -> dict[str, Any]:
    """A row of ours in the types of a reader."""
    at_ms = row["time"]
    told = dict(row)
    if isinstance(at_ms, int):
        moment = datetime.fromtimestamp(at_ms // 1000, UTC).replace(tzinfo=None)
        return told | {"time": moment.replace(microsecond=at_ms % 1000 * 1000)}
    return told


@given(ROWS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_every_row_comes_back_as_it_was(tmp_path: Path, rows: list[dict[str, Value]]) -> None:
    found = read_back(tmp_path / "rows.parquet", parquet(COLUMNS, rows))
    for one in found:
        if one["time"] is not None:
            one["time"] = one["time"].replace(tzinfo=None)
    assert found == [as_read(row) for row in rows]


def test_the_types_are_what_a_reader_expects(tmp_path: Path) -> None:
    path = tmp_path / "one.parquet"
    empty: dict[str, Value] = dict.fromkeys(VALUES)
    path.write_bytes(parquet(COLUMNS, [empty]))
    with duckdb.connect() as other:
        told = other.execute("DESCRIBE SELECT * FROM read_parquet(?)", [str(path)]).fetchall()
    types = {name: kind for name, kind, *_ in told}
    assert types["text"] == "VARCHAR"
    assert types["decimal"] == "DECIMAL(18,6)"
    assert types["whole"] == "BIGINT"
    assert types["flag"] == "BOOLEAN"
    assert types["time"].startswith("TIMESTAMP")


def test_an_amount_finer_than_a_micro_dollar_is_no_amount() -> None:
    row: dict[str, Value] = {**dict.fromkeys(VALUES), "decimal": Decimal("0.0000001")}
    with pytest.raises(NotMoney):
        parquet(COLUMNS, [row])
