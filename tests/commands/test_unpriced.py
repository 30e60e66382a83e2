"""That nobody knows what a sale brings refuses none: the workflow reads the book itself."""

import pytest

from api.sales import UNPRICED
from app.commands.closing import refuse_the_impossible
from app.errors import GuardError
from app.operating.outputs import ClosePreview


def preview(why_not: str) -> ClosePreview:
    return ClosePreview(id="a", title="A", result=None, hold_at_least="0.71", why_not=why_not)


@pytest.mark.parametrize("why_not", ["", *(f"{begin} of kalshi" for begin in UNPRICED)])
def test_a_close_of_which_nobody_knows_what_it_brings_is_asked_for(why_not: str) -> None:
    refuse_the_impossible(preview(why_not))


@pytest.mark.parametrize(
    "why_not",
    [
        "FLAT: there is nothing to close",
        "A leg is matched and not settled yet",
        "Nobody knows what pays the limit. No fresh book of kalshi since 14:13:21 UTC",
    ],
)
def test_a_close_that_cannot_be_is_refused(why_not: str) -> None:
    with pytest.raises(GuardError, match="a: "):
        refuse_the_impossible(preview(why_not))
