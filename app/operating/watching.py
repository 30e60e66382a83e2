"""The system at one moment, read from the journal alone."""

from sqlmodel import Session

from api import slices, story
from api.wire import iso, usd
from app.config import Config
from app.links import wall_ms
from app.operating import outputs
from app.operating.reading import known, position
from domain.venue import Mode
from store import views
from store.journal import Journal
from store.presence import ALIVE_MS

HAPPENED = 12


async def status(config: Config, journal: Journal) -> outputs.Status:
    """State, balances, positions, alarms and what happened last."""
    now_ms = wall_ms()
    return await journal.read(lambda s: _status(s, config, now_ms))


def _status(session: Session, config: Config, now_ms: int) -> outputs.Status:
    mode: Mode = config.mode
    newest_message, newest_audit = views.newest(session)
    after = max(newest_message - HAPPENED, 0), max(newest_audit - HAPPENED, 0)
    pulse = views.pulse(session, mode, *after)
    survey = views.survey(session, mode, now_ms, now_ms - ALIVE_MS)
    run_state = slices.run_state(pulse, alive=bool(survey.executors))
    lines = [line for told in pulse.told if (line := story.of_message(told)) is not None]
    lines += [line for row in pulse.audited if (line := story.of_audit(row)) is not None]
    lines.sort(key=lambda line: str(line["at"]))
    day = survey.stats
    return outputs.Status(
        at=str(iso(now_ms)),
        mode=mode.value,
        run_state=run_state["state"],
        since=run_state["since"],
        by=run_state["by"],
        reason=run_state["reason"],
        executors=len(survey.executors),
        today={
            "trades": day.trades,
            "pnl": usd(day.pnl),
            "not_final": None if day.not_final is None else usd(day.not_final),
            "fees": usd(survey.fees_today),
            "at_risk": usd(day.at_risk),
            "realised_loss": usd(day.realised_loss),
        },
        balances={
            venue.value: {
                "cash": usd(balance.cash),
                "free": usd(balance.free),
                "in_positions": usd(balance.in_positions),
                "as_of": iso(balance.as_of_ms),
            }
            for venue, balance in survey.balances.items()
        },
        positions=[position(known(session, one.arb_id), config) for one in pulse.unfinished],
        alarms=[slices.alarm(one) for one in survey.alarms],
        happened=[f"{line['at']}  {line['text']}" for line in lines[-HAPPENED:]],
    )
