"""For how long Polymarket counts as closed after it refused an order for that."""

import time

import pytest

from domain.order import Answer, Filled, NotFilled, Rejection, Unknown
from tests.domain.tables import rows
from venues.polymarket.closing import SECOND_NS, Doors
from venues.transport import Moment, Reply

SHUT = NotFilled(Rejection.VENUE_CLOSED, "HTTP 503: post-only mode")

WAITS = """
    status  retry-after  seconds
    425     -            120
    425     1            120
    425     300          301
    503     -            120
    503     17           18
    503     soon         120
    503     -1           120
    503     ٣            120
    503     9999999      120
"""
LATER = """
    answer   sent  closed
    filled   99    yes
    filled   101   no
    killed   101   no
    unknown  101   yes
"""


class Clock:
    """Time as the doors are told it, in nanoseconds."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ns = 100 * SECOND_NS
        monkeypatch.setattr(time, "monotonic_ns", lambda: self.ns)


def reply(status: int, sent_s: int = 99, wait: str = "-") -> Reply:
    moment = Moment(sent_s * SECOND_NS, 0)
    headers = {} if wait == "-" else {"retry-after": wait}
    return Reply(status, headers, b"", moment, moment)


@pytest.mark.parametrize(("status", "wait", "seconds"), rows(WAITS))
def test_it_is_closed_for_as_long_as_it_asks_and_for_the_window_after_a_restart(
    monkeypatch: pytest.MonkeyPatch, status: str, wait: str, seconds: str
) -> None:
    clock, here = Clock(monkeypatch), Doors()
    here.note(SHUT, reply(int(status), wait=wait))
    clock.ns += int(seconds) * SECOND_NS - 1
    assert here.closed() == SHUT.detail
    clock.ns += 1
    assert here.closed() is None


@pytest.mark.parametrize(("what", "sent", "closed"), rows(LATER))
def test_an_order_that_was_sent_since_and_reached_the_engine_opens_it(
    monkeypatch: pytest.MonkeyPatch, what: str, sent: str, closed: str
) -> None:
    Clock(monkeypatch)
    here = Doors()
    here.note(SHUT, reply(503))
    answers: dict[str, Answer] = {
        "filled": Filled("order-1", ()),
        "killed": NotFilled(Rejection.KILLED, "FOK"),
        "unknown": Unknown("timed out"),
    }
    here.note(answers[what], reply(200, int(sent)))
    assert ("no" if here.closed() is None else "yes") == closed
