"""The settings a person may change, and the bounds of a trade."""

from decimal import Decimal

import pytest

from domain.money import usd
from domain.policy import Bounds, ExecutorSettings
from tests.domain.tables import rows


def test_the_defaults_are_those_of_the_dashboard_and_start_disabled() -> None:
    assert ExecutorSettings() == ExecutorSettings(
        enabled=False,
        min_bet=usd(5),
        max_bet=usd(10),
        min_roi=Decimal(1),
        max_roi=Decimal(50),
        max_daily_trades=50,
        max_daily_loss=usd(5),
    )
    assert ExecutorSettings().problems() == ()


TABLE = """
    min_bet  max_bet  min_roi  max_roi  trades  loss   wrong
    5        10       1        50       50      5      -
    10       10       1        1        0       0      -
    0        10       1        50       50      5      min_bet
    -1       10       1        50       50      5      min_bet
    11       10       1        50       50      5      max_bet
    5        10       -0.1     50       50      5      min_roi
    5        10       51       50       50      5      max_roi
    5        10       1        50       -1      5      max_daily_trades
    5        10       1        50       50      -0.01  max_daily_loss
    0        -1       -1       -2       -1      -1     min_bet max_bet min_roi max_roi max_daily_trades max_daily_loss
"""  # noqa: E501 - one row breaks every rule


@pytest.mark.parametrize(
    ("min_bet", "max_bet", "min_roi", "max_roi", "trades", "loss", "wrong"), rows(TABLE)
)
def test_every_setting_that_cannot_be_is_named(
    min_bet: str, max_bet: str, min_roi: str, max_roi: str, trades: str, loss: str, wrong: str
) -> None:
    settings = ExecutorSettings(
        min_bet=usd(min_bet),
        max_bet=usd(max_bet),
        min_roi=Decimal(min_roi),
        max_roi=Decimal(max_roi),
        max_daily_trades=int(trades),
        max_daily_loss=usd(loss),
    )
    problems = settings.problems()
    assert [problem.field for problem in problems] == wrong.replace("-", "").split()
    assert all("found" in problem.message for problem in problems)


def test_an_unwind_may_lose_a_share_of_the_dearer_leg() -> None:
    assert Bounds().loss_budget(usd(8)) == usd(2)
