"""What happened, as lines of the activity log."""

import pytest

from api import story
from store.views import Told
from tests.domain.tables import rows

AT_MS = 1_790_000_000_000

# What both legs hold, and what the line says of it.
HELD = """
    polymarket  kalshi  said
    21          21      locked,_21_contracts_on_both_sides
    21.000000   21      locked,_21_contracts_on_both_sides
    21          0       held:_21_at_Polymarket,_0_at_Kalshi
    21.428571   21      held:_21.428571_at_Polymarket,_21_at_Kalshi
"""


@pytest.mark.parametrize(("polymarket", "kalshi", "said"), rows(HELD))
def test_only_what_is_even_is_said_to_be_locked(polymarket: str, kalshi: str, said: str) -> None:
    payload = {"event": "LAL vs BOS", "poly_size": polymarket, "kalshi_size": kalshi}
    line = story.of_message(Told(1, "position_opened", dict(payload), AT_MS))
    assert line is not None
    assert line["text"] == f"LAL vs BOS: {said.replace('_', ' ')}"
