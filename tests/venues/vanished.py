"""What may be concluded of an order that a venue has shown and does not show any more."""

from collections.abc import Sequence

from domain.evidence import Observation, Quarantine, conclude_absent
from domain.order import NotFilled, Unknown


def concludes_unless_matched(
    seen: Sequence[Observation], sent_at_ms: int, rule: Quarantine, *, matched: bool
) -> None:
    """It never arrived by the last of these looks (wall-clock ms), unless a match of it was shown:
    then nothing is known."""
    answer = conclude_absent(tuple(seen), sent_at_ms, max(one.at_ms for one in seen), rule)
    if matched:
        assert isinstance(answer, Unknown)
        assert answer.evidence.endswith("no trade of it shown")
    else:
        assert isinstance(answer, NotFilled), answer
        assert answer.detail.endswith("since it was last shown")
