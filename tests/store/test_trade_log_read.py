"""What pages, chats and commands read of the trade log: its pages, its spans, its sums."""

from domain.money import usd
from domain.trade import TradeStatus
from domain.venue import Mode
from store import trade_log, views
from store.journal import Journal
from tests.store.builders import admitted, an_opportunity
from tests.store.test_trade_logger import DAY, locked, roll_back


async def test_what_is_not_final_of_a_day_is_told_apart_from_what_is(journal: Journal) -> None:
    await locked(journal)
    await roll_back(journal, await admitted(journal, an_opportunity("b")), "0.45")

    stats = await journal.trade_log.stats(Mode.SIM, DAY)
    assert (stats.logged, stats.wins, stats.pnl) == (2, 1, usd("0.3"))
    waits = (stats.guaranteed, stats.guaranteed_wins, stats.guaranteed_pnl)
    assert waits == (1, 1, usd("0.9"))
    points = await journal.read(lambda s: views.equity(s, Mode.SIM, 0))
    assert [(point.pnl, point.final) for point in points] == [
        (usd("0.9"), False),
        (usd("-0.6"), True),
    ]


async def test_pages_follow_one_another_without_gap_or_repeat(journal: Journal) -> None:
    for number in range(7):
        await locked(journal, f"k{number}")

    seen: list[str] = []
    before: int | None = None
    while page := await journal.trade_log.trades(Mode.SIM, 3, before):
        seen += [trade.arb_id for trade in page]
        before = page[-1].id

    assert seen == [f"arb-k{number}" for number in reversed(range(7))]


async def test_a_limit_says_how_many_more_there_are_since_then(journal: Journal) -> None:
    for number in range(3):
        await locked(journal, f"k{number}")
    for begin, status, limit, found, more in (
        (None, None, None, 3, 0),
        (None, None, 2, 2, 1),
        (f"{DAY}T", None, 2, 2, 1),
        ("2026-09-22", None, 2, 0, 0),
        (None, TradeStatus.ROLLED_BACK, 2, 0, 0),
    ):
        rows, passing = await journal.read(
            lambda s, b=begin, t=status, n=limit: (  # type: ignore[misc]
                trade_log.trades(s, Mode.SIM, n, status=t, begin=b),
                trade_log.counted(s, Mode.SIM, t, b),
            )
        )
        assert (len(rows), passing - len(rows)) == (found, more)
