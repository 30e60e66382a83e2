"""An arbitrage by what a person types."""

import pytest

from store.lookup import NotOne, the_one

KNOWN = ["arb-3fa2c1", "arb-3fa2d9", "arb-77aa01", "arb-77aa"]
MEANT = """
    typed               is
    arb-3fa2c1          arb-3fa2c1
    3fa2c               arb-3fa2c1
    arb-3fa2d           arb-3fa2d9
    arb-77aa            arb-77aa
    77aa0               arb-77aa01
    arb-3fa2c1:adopt-2  arb-3fa2c1
"""


@pytest.mark.parametrize("row", MEANT.strip().splitlines()[1:], ids=str.strip)
def test_an_id_its_beginning_or_its_workflow_is_enough(row: str) -> None:
    typed, is_ = row.split()
    assert the_one(KNOWN, typed) == is_


UNCLEAR = [
    ("3fa2", ("arb-3fa2c1", "arb-3fa2d9"), ()),
    ("arb-", tuple(KNOWN), ()),
    ("", (), ()),
    (":adopt-1", (), ()),
    ("3fb2c1", (), ("arb-3fa2c1",)),
    ("zzzzzzzz", (), ()),
]


@pytest.mark.parametrize(("typed", "found", "near"), UNCLEAR)
def test_what_means_none_or_several_says_which(
    typed: str, found: tuple[str, ...], near: tuple[str, ...]
) -> None:
    with pytest.raises(NotOne) as unclear:
        the_one(KNOWN, typed)
    assert unclear.value.found == found
    assert unclear.value.near[:1] == near
