"""Positions, trades and single arbitrages, read from the journal alone: it answers while nothing
else does."""

from sqlmodel import Session

from api import rows
from api.known import Known
from api.known import read as read_known
from api.trade_rows import trade
from api.wire import iso, text, usd
from app.config import Config
from app.links import wall_ms
from app.operating import outputs
from app.operating.office import arbitrage, opened, workflow_link
from domain.evidence import Observation
from domain.money import tidy
from domain.order import Answer, Filled, NotFilled, Unknown
from domain.trade import TradeStatus
from domain.venue import Venue
from store import arbitrages, observations, presence, trade_log
from store.events import Event
from store.events import of_arbitrage as events_of
from store.intents import StoredIntent
from workflows import names


async def positions(config: Config) -> outputs.Positions:
    """Every arbitrage that has not ended, oldest first."""

    def work(session: Session) -> list[Known]:
        found = [one for one in arbitrages.unfinished(session) if one.mode is config.mode]
        return [known(session, one.arb_id) for one in found]

    async with opened(config) as journal:
        found = await journal.read(work)
    return outputs.Positions(
        mode=config.mode.value, positions=[position(one, config) for one in found]
    )


async def trades(
    config: Config, limit: int | None, status: TradeStatus | None, begin: str | None
) -> outputs.Trades:
    """The trade log from the newest down to `begin` (ISO 8601 UTC), at most `limit` rows."""
    async with opened(config) as journal:
        found, passing = await journal.read(
            lambda s: (
                trade_log.trades(s, config.mode, limit, status=status, begin=begin),
                trade_log.counted(s, config.mode, status, begin),
            )
        )
    told = [trade(one, None, numbers=False) for one in found]
    return outputs.Trades(
        mode=config.mode.value,
        more=passing - len(found),
        trades=[
            outputs.Trade(
                id=row["arb_id"],
                at=row["timestamp"],
                title=row["event"],
                mode=row["mode"],
                status=row["status"],
                size=row["bet_size"],
                pnl=row["pnl"],
                roi=row["roi"],
                final=row["final"],
                reason=row["reason"],
            )
            for row in told
        ],
    )


async def show(config: Config, name: str) -> outputs.Shown:
    """One arbitrage: its legs, everything that happened, every order with its evidence."""

    def work(session: Session) -> tuple[Known, list[Event], dict[str, tuple[Observation, ...]]]:
        one = known(session, state.arb_id)
        seen = {
            intent.order.intent_id: observations.of_intent(session, intent.order.intent_id)
            for intent in one.state.intents
        }
        return one, events_of(session, state.arb_id), seen

    async with opened(config) as journal:
        state = await arbitrage(journal, name, config)
        one, happened, seen = await journal.read(work)
    state = one.state
    return outputs.Shown(
        position=position(one, config),
        status=state.status.value if state.status else None,
        realised=None if state.realised is None else usd(state.realised),
        settings_version=state.settings_version,
        timeline=[happening(event) for event in happened],
        orders=[order(intent, seen[intent.order.intent_id]) for intent in state.intents],
        workflow_id=names.workflow_id(state.arb_id, state.adopted),
    )


def known(session: Session, arb_id: str) -> Known:
    """One arbitrage by the journal alone."""
    now_ms = wall_ms()
    executors = presence.reports(session, now_ms - presence.ALIVE_MS)
    return read_known(session, arb_id, None, 0, now_ms, executors)


def position(one: Known, config: Config) -> outputs.Position:
    """One arbitrage as the command shows it."""
    row, state = rows.position(one), one.state
    legs = []
    for venue in Venue:
        told, leg = row["legs"][venue.value], state.leg(venue)
        legs.append(
            outputs.Leg(
                venue=venue.value,
                outcome=told["outcome"],
                planned=told["size"],
                held=told["held"],
                price=told["price"],
                paid=told["cost"],
                received=usd(leg.received),
                fee=told["fee"],
                state=told["state"],
                order_id=told["order_id"],
                error=told["error"],
            )
        )
    return outputs.Position(
        id=state.arb_id,
        pair_id=state.opportunity.pair_id,
        title=state.opportunity.title,
        mode=state.mode.value,
        phase=one.phase.value,
        reason=tidy(one.reason),
        opened_at=row["opened_at"],
        legs=legs,
        paid=usd(state.paid),
        payout=row["payout"],
        worst=row["worst"],
        close_now=row["close_now"],
        book_at=row["book_at"],
        book_stale=row["book_stale"],
        temporal=workflow_link(config, names.workflow_id(state.arb_id, state.adopted)),
    )


def happening(event: Event) -> outputs.Happening:
    """One event in words."""
    detail = event.detail
    head = str(detail.get("phase", ""))
    parts = [
        f"{name} {value}"
        for name, value in detail.items()
        if name not in ("phase", "reason", "bounds") and not isinstance(value, dict | list | None)
    ]
    reason = str(detail.get("reason") or "")
    head = "" if head and reason.startswith(head) else head
    said = " · ".join([part for part in (head, reason, ", ".join(parts)) if part])
    return outputs.Happening(at=str(iso(event.at_ms)), kind=event.kind, said=tidy(said))


def order(one: StoredIntent, seen: tuple[Observation, ...]) -> outputs.OrderStory:
    """One order with what was seen of it."""
    meant = one.order
    return outputs.OrderStory(
        intent_id=meant.intent_id,
        venue=meant.venue.value,
        purpose=meant.purpose.value,
        action=meant.action.value,
        outcome=meant.instrument.outcome.upper(),
        size=text(meant.size),
        limit=text(meant.limit),
        state=one.state.value,
        key=one.identity.key,
        created_at=str(iso(meant.created_at_ms)),
        sent_at=iso(one.sent_at_ms),
        answer=answered(one.answer),
        evidence=[evidence(look) for look in seen],
    )


def answered(answer: Answer | None) -> str | None:
    """What the venue said, in words."""
    match answer:
        case Filled(order_id, fills):
            told = ", ".join(
                f"{text(f.size)} for {usd(f.notional)} + fee {usd(f.fee)} ({f.state.value}, "
                f"trade {f.trade_id})"
                for f in fills
            )
            return f"filled as order {order_id}: {told}"
        case NotFilled(rejection, detail, _):
            return f"not filled: {rejection.value}: {detail}"
        case Unknown(said):
            return f"unknown: {said}"
        case None:
            return None


def evidence(look: Observation) -> str:
    """One read that looked for an order."""
    found = {True: "found", False: "not there", None: "not readable"}[look.found]
    return f"{iso(look.at_ms)} {look.source}: {found}"
