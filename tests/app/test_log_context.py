"""Whatever an activity writes names its arbitrage, and its venue and leg where it has them."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import structlog
from temporalio.testing import ActivityEnvironment
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput

from activities.messages import (
    CompleteRequest,
    ExitsRequest,
    LegRequest,
    ReserveRequest,
    Ticket,
    UnwindRequest,
)
from app.log_context import LogContext
from domain.money import price, size
from domain.order import Purpose
from domain.policy import Bounds, Timing
from domain.venue import Mode, Venue
from tests.store.builders import an_identity, an_opportunity, an_order

PLAN = an_opportunity()
KALSHI, POLYMARKET = Venue.KALSHI, Venue.POLYMARKET
ORDER = an_order(PLAN, KALSHI, purpose=Purpose.CLOSE)
SELL = UnwindRequest("arb-1", PLAN, POLYMARKET, size("2"), Purpose.UNWIND, 1, 1, None, 9)
BUY = CompleteRequest("arb-1", PLAN, KALSHI, size("2"), price("0.5"), 1, 9)
ASKED: dict[str, tuple[tuple[object, ...], str | None, str | None]] = {
    "place": ((Ticket(ORDER, an_identity(ORDER)),), "kalshi", "kalshi close"),
    "sell": ((SELL,), "polymarket", "polymarket unwind"),
    "buy": (
        (CompleteRequest("a", PLAN, KALSHI, size("2"), price("0.5"), 1, 9),),
        "kalshi",
        "kalshi",
    ),
    "resolve": ((LegRequest("a", KALSHI, size("2"), Timing(), False),), "kalshi", "kalshi"),
    "price": ((ExitsRequest("a", PLAN, KALSHI, size("2"), None),), "kalshi", "kalshi"),
    "reserve": ((ReserveRequest("a", PLAN, Mode.SIM, Bounds()),), None, None),
    "reconcile": ((), None, None),
}


class Innermost(ActivityInboundInterceptor):
    """Answers what the log is bound to."""

    def __init__(self) -> None:
        """Nothing stands behind it."""

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        return structlog.contextvars.get_contextvars()


@pytest.mark.parametrize(("arguments", "venue", "leg"), ASKED.values(), ids=list(ASKED))
async def test_lines_name_the_venue_and_leg_that_an_activity_is_asked_about(
    arguments: tuple[object, ...], venue: str | None, leg: str | None
) -> None:
    around = LogContext().intercept_activity(Innermost())

    async def asked() -> Any:
        with ThreadPoolExecutor() as threads:
            given = ExecuteActivityInput(lambda: None, arguments, threads, {})
            return await around.execute_activity(given)

    bound = await ActivityEnvironment().run(asked)
    assert (bound.get("venue"), bound.get("leg")) == (venue, leg)
    assert bound["correlation_id"]
    assert structlog.contextvars.get_contextvars() == {}
