"""One journal, one wallet."""

from functools import partial

import pytest

from domain.venue import Venue
from store import installation, lease
from store.errors import ForeignDatabase
from store.journal import Journal
from store.lease import Claim
from tests.store.builders import NOW, admitted

OURS, ANOTHER = "0xAa00000000000000000000000000000000000001", "0xbb" + "0" * 37 + "2"


async def _belong(journal: Journal, wallet: str, at_ms: int = NOW) -> None:
    await journal.write(at_ms, lambda s: installation.belong(s, wallet, at_ms))


async def test_a_journal_that_was_traded_in_is_of_its_wallet_for_good(journal: Journal) -> None:
    await _belong(journal, OURS)
    await admitted(journal)
    await _belong(journal, OURS.lower())
    with pytest.raises(ForeignDatabase, match=rf"of the wallet {OURS}, and polymarket\.funder is"):
        await _belong(journal, ANOTHER)
    await _belong(journal, OURS)


async def test_until_then_a_wallet_is_corrected_unless_somebody_sends_for_it(
    journal: Journal,
) -> None:
    await _belong(journal, OURS)
    accounts = {Venue.POLYMARKET: f"polymarket/{OURS}"}
    held = await journal.write(NOW, partial(lease.take, holder="a", accounts=accounts, now_ms=NOW))
    assert isinstance(held, Claim)
    with pytest.raises(ForeignDatabase, match=r"a journal of its own by database\.schema_name"):
        await _belong(journal, ANOTHER)
    await _belong(journal, ANOTHER, NOW + lease.LEASE_MS)
    await admitted(journal)
    with pytest.raises(ForeignDatabase):
        await _belong(journal, OURS, NOW + lease.LEASE_MS)
