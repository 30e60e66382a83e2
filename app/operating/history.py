"""The story of an arbitrage in plain words: Temporal's history and the journal, by time.

The history says who asked for what and what came back; the journal says which orders left, what
the venues answered and why a phase was entered.
"""

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client
from temporalio.service import RPCError

from api.wire import iso, text
from app.config import Config
from app.errors import DependencyError
from app.operating.events import Teller
from app.operating.office import arbitrage, opened
from app.operating.outputs import Line, Trace
from app.operating.reading import answered, happening
from app.operating.staff import temporal
from domain.money import tidy
from store import events, views
from store.arbitrages import ArbitrageState
from store.events import Event
from store.intents import StoredIntent
from store.views import OrderTimes
from workflows import names

JOURNAL = "journal"


@dataclass(frozen=True, slots=True)
class _At:
    """A line with its place: wall-clock ms."""

    ms: int
    who: str
    said: str


async def trace(config: Config, name: str) -> Trace:
    """Every line of every workflow that carried it, and the journal's, oldest first."""
    async with opened(config) as journal:
        state = await arbitrage(journal, name, config)
        happened = await journal.read(lambda s: events.of_arbitrage(s, state.arb_id))
        times = await journal.read(lambda s: views.order_times(s, state.arb_id))
    ids = [names.workflow_id(state.arb_id, number) for number in range(state.adopted + 1)]
    lines = [*_journaled(state, happened, times)]
    try:
        client = await temporal(config)
        for workflow_id in ids:
            lines += [line async for line in _history(client, workflow_id)]
    except DependencyError as trouble:
        lines.append(_At(_last_ms(lines), "lockstep", f"without Temporal's part: {trouble}"))
    lines.sort(key=lambda line: line.ms)
    return Trace(
        id=state.arb_id,
        title=state.opportunity.title,
        workflow_ids=ids,
        lines=[Line(at=str(iso(one.ms)), who=one.who, said=one.said) for one in lines],
    )


def _last_ms(lines: list[_At]) -> int:
    return max((line.ms for line in lines), default=0)


def _journaled(
    state: ArbitrageState, happened: Iterable[Event], times: Mapping[str, OrderTimes]
) -> Iterable[_At]:
    """Phases with their reasons, and every order: meant, sent, answered."""
    for event in happened:
        told = happening(event)
        yield _At(event.at_ms, JOURNAL, f"{told.kind}: {told.said}")
    for intent in state.intents:
        yield from _order(intent, times[intent.order.intent_id].answered_ms)


def _order(intent: StoredIntent, answered_ms: int | None) -> Iterable[_At]:
    order = intent.order
    what = (
        f"{order.action} {text(order.size)} {order.instrument.outcome.upper()} at {order.venue} "
        f"for {text(order.limit)} or better"
    )
    if intent.sent_at_ms is not None:
        said = f"sent: {order.purpose} {what} (order {intent.identity.key})"
        yield _At(intent.sent_at_ms, JOURNAL, said)
    if (said_back := answered(intent.answer)) is not None:
        at_ms = answered_ms or intent.sent_at_ms or order.created_at_ms
        yield _At(at_ms, str(order.venue), f"answered: {order.purpose} {said_back}")


async def _history(client: Client, workflow_id: str) -> AsyncIterator[_At]:
    """Every run of one workflow id: a reset makes a new one."""
    try:
        runs = [run.run_id async for run in client.list_workflows(f"WorkflowId = '{workflow_id}'")]
        for number, run_id in enumerate(reversed(runs or [""]), start=1):
            teller = Teller(client.data_converter, number)
            handle = client.get_workflow_handle(workflow_id, run_id=run_id or None)
            async for event in handle.fetch_history_events():
                for who, said in await teller.tell(event):
                    yield _At(_ms(event), who, tidy(said))
    except RPCError as trouble:
        raise DependencyError(f"the history of {workflow_id}: {trouble.message}") from None


def _ms(event: HistoryEvent) -> int:
    moment: datetime = event.event_time.ToDatetime()
    return int((moment - datetime(1970, 1, 1)).total_seconds() * 1000)  # noqa: DTZ001
