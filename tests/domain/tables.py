"""Text tables: one row per line, columns apart by two blanks or more, the first line names them."""

import re


def rows(table: str) -> list[tuple[str, ...]]:
    """The rows below the heading; every row must have a cell for each column."""
    lines = [re.split(r"\s{2,}", line.strip()) for line in table.strip().splitlines()]
    heading, *body = [line for line in lines if line != [""]]
    for row in body:
        assert len(row) == len(heading), f"expected {heading}, found {row}"
    return [tuple(row) for row in body]
