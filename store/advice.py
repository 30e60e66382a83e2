"""What the gate has said and would say, read for an executor's advisory copy."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlmodel import Session, col, select

from domain.money import Usd, from_micro, to_micro
from domain.policy import Refusal
from domain.trade import Phase
from domain.venue import Mode
from store import settings
from store.codec import utc_day
from store.tables import ArbitrageRow, RiskDayRow


@dataclass(frozen=True, slots=True)
class DayLeft:
    """What the settings in force leave of a UTC day: trades, and dollars of loss, realised or at
    risk. Below zero after a limit was lowered."""

    trades: int
    loss: Usd


def day_left(session: Session, mode: Mode, now_ms: int) -> DayLeft:
    """The day of this wall-clock time, as the gate counts it."""
    policy = settings.read(session).settings
    account = session.get(RiskDayRow, (mode, utc_day(now_ms)))
    trades = account.trades if account else 0
    at_risk = account.reserved_loss_micro + account.realised_loss_micro if account else 0
    loss = from_micro(to_micro(policy.max_daily_loss) - at_risk)
    return DayLeft(policy.max_daily_trades - trades, Usd(loss))


def verdicts(session: Session, arb_ids: Iterable[str]) -> dict[str, Refusal | None]:
    """Why the gate refused each of these arbitrages, None where it admitted it; those that it has
    not judged are left out."""
    known = session.exec(
        select(ArbitrageRow.id, ArbitrageRow.phase, ArbitrageRow.reason).where(
            col(ArbitrageRow.id).in_(list(arb_ids))
        )
    )
    return {
        arb_id: Refusal(reason) if phase == Phase.REFUSED and reason else None
        for arb_id, phase, reason in known
    }
