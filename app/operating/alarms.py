"""What is wrong by the journal, and a person's word on it: neither needs a running system."""

from collections.abc import Sequence

from sqlmodel import Session

from api import slices
from app.config import Config
from app.errors import GuardError, UsageError
from app.operating.office import act, opened
from app.operating.outputs_journal import Alarm, Alarms
from store import alarms
from store.errors import ClosesByItself, NotJournaled
from store.tables import AlarmRow


async def listed(config: Config, limit: int | None) -> Alarms:
    """Open alarms, oldest first; with a limit so many of all, the newest first."""

    def read(session: Session) -> Sequence[AlarmRow]:
        return alarms.open_alarms(session) if limit is None else alarms.page(session, limit)

    async with opened(config) as journal:
        found = await journal.read(read)
    return Alarms(mode=config.mode, alarms=[_shown(row) for row in found])


async def one(config: Config, number: int) -> Alarm:
    """One alarm; UsageError where there is none of that number."""
    async with opened(config) as journal:
        row = await journal.read(lambda s: alarms.find(s, number))
    if row is None:
        raise _unknown(number)
    return _shown(row)


async def acknowledge(config: Config, number: int, evidence: str | None) -> Alarm:
    """Say that it was seen, or by evidence that it is settled; what it is then."""
    async with opened(config) as journal:
        try:
            await journal.acknowledge_alarm(number, act(), evidence)
        except NotJournaled:
            raise _unknown(number) from None
        except ClosesByItself as refused:
            raise GuardError(str(refused)) from None
    return await one(config, number)


def _shown(row: AlarmRow) -> Alarm:
    return Alarm.model_validate(slices.alarm(row))


def _unknown(number: int) -> UsageError:
    return UsageError(
        f"ALARM: expected the number of an alarm of this journal, found {number}: "
        "`lockstep alarms list --all` shows them"
    )
