"""When a venue's door closes for entries, and what opens it again."""

import pytest

from activities.doors import HOLD_MS, HOLD_MS_MAX, RATE_MS, Doors
from domain.order import Answer, Filled, NotFilled, Rejection, Unknown
from domain.venue import Venue
from tests.domain.tables import rows
from venues.port import VenueStatus

PM, KX = Venue.POLYMARKET, Venue.KALSHI
SHUT = NotFilled(Rejection.VENUE_CLOSED, "post-only mode")
KILLED = NotFilled(Rejection.KILLED, "no offer")
FILLED = Filled("order-1", ())
OPEN = VenueStatus(True, "trading", 0)

# The door closes at 1,000 by the refusal of an order; then, `at` some time, something is learnt.
# `left` and `asked` are when that order left or that status was asked for.
LEARNT = """
    what            left or asked  closed after
    nothing         -              yes
    status open     999            yes
    status open     10999          yes
    status open     11000          no
    status closed   11000          yes
    status unread   11000          yes
    filled          999            yes
    filled          1001           no
    killed          999            yes
    killed          1001           no
    unknown         1001           yes
    invalid         1001           yes
"""


@pytest.mark.parametrize(("what", "when", "after"), rows(LEARNT))
def test_a_door_opens_on_evidence_that_is_newer_than_its_closing(
    what: str, when: str, after: str
) -> None:
    here = Doors()
    here.answered(PM, SHUT, 990, 1_000)
    at_ms = 0 if when == "-" else int(when)
    answers: dict[str, Answer] = {
        "filled": FILLED,
        "killed": KILLED,
        "unknown": Unknown("timed out"),
        "invalid": NotFilled(Rejection.INVALID_ORDER, "tick"),
    }
    match what:
        case "nothing":
            pass
        case "status open":
            here.told(PM, OPEN, at_ms)
        case "status closed":
            here.told(PM, VenueStatus(False, "paused", 0), at_ms)
        case "status unread":
            here.unread(PM, "no connection", at_ms)
        case _:
            here.answered(PM, answers[what], at_ms, at_ms + 10)
    assert ("yes" if here.against_entries(20_000) else "no") == after
    assert set(here.closed(20_000)) == ({PM} if after == "yes" else set())


def test_what_a_status_closed_the_next_one_opens() -> None:
    here = Doors()
    here.told(KX, VenueStatus(False, "Kalshi does not trade now", 0), 1_000)
    assert here.against_entries(1_001) == "kalshi takes no orders: Kalshi does not trade now"
    here.told(KX, OPEN, 999)
    assert here.closed(1_002)
    here.told(KX, OPEN, 2_000)
    assert here.against_entries(2_001) is None


def test_a_status_that_cannot_be_read_closes_until_it_can() -> None:
    here = Doors()
    here.unread(PM, "no connection", 1_000)
    assert here.closed(900_000) == {PM: "no connection"}
    here.told(PM, OPEN, 900_000)
    assert not here.closed(900_000)


def test_a_status_read_amid_a_closure_shortens_nothing() -> None:
    here = Doors()
    here.answered(PM, SHUT, 990, 1_000)
    here.told(PM, VenueStatus(False, "post-only", 0), 2_000)
    here.told(PM, OPEN, 1_000 + HOLD_MS - 1)
    assert here.closed(20_000)


def test_too_many_orders_close_for_a_moment_and_never_shorten_a_closure() -> None:
    here, fast = Doors(), NotFilled(Rejection.RATE_LIMITED, "HTTP 429")
    here.answered(KX, fast, 990, 1_000)
    here.told(KX, OPEN, 1_500)
    assert here.closed(1_000 + RATE_MS - 1) == {KX: "HTTP 429"}
    assert not here.closed(1_000 + RATE_MS)
    here.answered(KX, SHUT, 4_990, 5_000)
    here.answered(KX, fast, 5_090, 5_100)
    assert here.closed(1_000_000) == {KX: "post-only mode"}


def test_a_status_that_was_wrong_is_believed_later_each_time() -> None:
    here, now_ms, waited = Doors(), 1_000, []
    for _ in range(10):
        here.answered(KX, SHUT, now_ms - 1, now_ms)
        closed_ms = now_ms
        while here.closed(now_ms):
            now_ms += 1_000
            here.told(KX, OPEN, now_ms)
        waited.append(now_ms - closed_ms)
    assert waited[:3] == [HOLD_MS, 2 * HOLD_MS, 4 * HOLD_MS]
    assert max(waited) == HOLD_MS_MAX
    here.answered(KX, FILLED, now_ms + 1, now_ms + 2)
    here.answered(KX, SHUT, now_ms + 9, now_ms + 10)
    here.told(KX, OPEN, now_ms + 10 + HOLD_MS)
    assert not here.closed(now_ms + 10 + HOLD_MS)


def test_refused_sales_amid_one_closure_are_no_error_of_the_status() -> None:
    here = Doors()
    for at_ms in range(1_000, 60_000, 1_000):
        here.answered(PM, SHUT, at_ms - 1, at_ms)
    here.told(PM, OPEN, 59_000 + HOLD_MS)
    assert not here.closed(100_000)


def test_an_order_that_could_not_be_sent_closes_as_a_refusal_does() -> None:
    """A status can be read where no key for orders can be had."""
    here = Doors()
    here.answered(PM, NotFilled(Rejection.NOT_SENT, "no API key"), 1_000, 1_000)
    here.told(PM, OPEN, 2_000)
    assert here.closed(2_001) == {PM: "no API key"}
    here.told(PM, OPEN, 1_000 + HOLD_MS)
    assert not here.closed(20_000)


def test_both_doors_are_named() -> None:
    here = Doors()
    here.answered(KX, SHUT, 1, 2)
    here.unread(PM, "no connection", 3)
    assert here.against_entries(4) == (
        "polymarket takes no orders: no connection; kalshi takes no orders: post-only mode"
    )
