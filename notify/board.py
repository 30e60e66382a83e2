"""The whole system at one moment, read in one transaction: what most answers are made of."""

from dataclasses import dataclass

from sqlmodel import Session

from domain.money import Usd
from domain.policy import ExecutorSettings
from domain.venue import Mode, Venue
from store import arbitrages, audit, run_state, settings, trade_log, views
from store.arbitrages import Unfinished
from store.codec import utc_day
from store.outbox import Backlog
from store.presence import ALIVE_MS, Presence
from store.run_state import RunState
from store.tables import AlarmRow
from store.trade_log import DayStats
from store.views import Balance


@dataclass(frozen=True, slots=True)
class Board:
    """`stats` and `fees` are of the UTC day `stats.day`; `executors` reported lately."""

    mode: Mode
    now_ms: int
    run_state: RunState
    settings: ExecutorSettings
    settings_version: int
    stats: DayStats
    fees: Usd
    balances: dict[Venue, Balance]
    open: tuple[Unfinished, ...]
    alarms: tuple[AlarmRow, ...]
    executors: tuple[Presence, ...]
    backlog: Backlog
    audit_head: str

    @property
    def run_word(self) -> str:
        """The run state in one word, and why."""
        word = self.run_state.word(alive=bool(self.executors))
        paused = "" if self.run_state.enabled else "; entries are paused"
        why = {
            "HALTED": f" ({self.run_state.reason})",
            "OFF": f" (no executor reports{paused})",
        }
        return word + why.get(word, "")


def read(session: Session, mode: Mode, now_ms: int, day: str | None = None) -> Board:
    """What this transaction sees; the numbers of `day`, by default today's (UTC)."""
    seen = views.survey(session, mode, now_ms, now_ms - ALIVE_MS)
    saved = settings.read(session)
    wanted = day or utc_day(now_ms)
    return Board(
        mode=mode,
        now_ms=now_ms,
        run_state=run_state.read(session),
        settings=saved.settings,
        settings_version=saved.version,
        stats=trade_log.stats(session, mode, wanted),
        fees=views.fees_on(session, mode, wanted),
        balances=seen.balances,
        open=tuple(one for one in arbitrages.unfinished(session) if one.mode is mode),
        alarms=seen.alarms,
        executors=seen.executors,
        backlog=seen.backlog,
        audit_head=audit.head(session),
    )
