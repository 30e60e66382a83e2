"""Mutants that book wrongly: fills, voids, fees, limits, reservations, alarms, the audit trail."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from activities import step
from activities.place import EntryActivities
from domain.decision import StandDown
from domain.fees import KalshiFee, PolymarketFee
from domain.money import Usd, usd
from domain.order import FillState, NotFilled, Rejection
from domain.trade import Phase
from store import alarms, audit, events, fills, gate, lifecycle, outbox, risk_day, settings
from store.arbitrages import ArbitrageState, row_of
from tests.oracle.mutants.registry import mutant, replaced
from venues.kalshi import verdicts
from workflows import state


@mutant("ghost", "S15_void")
def ignore_failed() -> None:
    """A trade that failed on the chain goes on counting."""

    def record(session: Any, seen: Any, now_ms: int) -> Any:
        kept = [
            replace(fill, state=FillState.CONFIRMED) if fill.state is FillState.VOIDED else fill
            for fill in seen
        ]
        return original(session, kept, now_ms)

    original = replaced(fills, "record", record)


@mutant("locked", "Q3_cash")
def fill_counted_twice() -> None:
    """Every fill is booked once more under an invented trade id."""

    def record(session: Any, seen: Any, now_ms: int) -> Any:
        fills_seen = [fill for fill in seen if not fill.trade_id.endswith("-again")]
        both = [one for fill in fills_seen for one in (fill, _again(fill))]
        return original(session, both, now_ms)

    original = replaced(fills, "record", record)


def _again(fill: Any) -> Any:
    return replace(fill, trade_id=f"{fill.trade_id}-again")


@mutant("partial", "Q4_positions")
def partial_as_whole() -> None:
    """A partial fill is booked as the whole order."""

    def as_fill(order: Any, row: Any) -> Any:
        return replace(original(order, row), size=order.size)

    original = replaced(verdicts, "as_fill", as_fill)


@mutant("locked", "Q3_cash")
def fee_not_booked() -> None:
    """Fees of the venue are left out of the books."""

    def record(session: Any, seen: Any, now_ms: int) -> Any:
        return original(session, [replace(fill, fee=usd(0)) for fill in seen], now_ms)

    original = replaced(fills, "record", record)


@mutant("locked", "S3_bounds")
def fee_ignored() -> None:
    """A plan knows no fees."""
    for fee in (PolymarketFee, KalshiFee):
        replaced(fee, "bound_buy", lambda *_: usd(0))


@mutant("polymarket_naked", "Q3_cash")
def result_without_fees() -> None:
    """The result that is booked is a dime better than the cash that moved."""
    original = vars(ArbitrageState)["cash_result"]
    better = property(lambda self: Usd(original.fget(self) + usd("0.10")))
    replaced(ArbitrageState, "cash_result", better)


@mutant("locked", "S13_integers")
def float_sum() -> None:
    """The outlays of both legs are added up in binary floating point."""

    def write(session: Any, request: Any, *rest: Any) -> Any:
        plan = request.opportunity
        total = float(plan.polymarket.outlay) + float(plan.kalshi.outlay)
        plan = replace(plan, outlay=Usd(Decimal(total)))
        return original(session, replace(request, opportunity=plan), *rest)

    original = replaced(gate, "_write_arbitrage", write)


@mutant("limit", "S7_daily_limit")
def limit_outside_the_gate() -> None:
    """The day's limits are advice of the scanner, the gate no longer asks."""

    def charge(session: Any, request: Any, view: Any) -> None:
        loose = replace(view.saved.settings, max_daily_trades=10_000)
        original(session, request, replace(view, saved=replace(view.saved, settings=loose)))

    replaced(gate, "_day_is_full", lambda *_: iter(()))
    original = replaced(gate, "_charge_day", charge)


@mutant("smaller_bet", "S8_caps")
def bet_cap_ignored() -> None:
    """The gate takes the scanner's word for the size of a bet."""
    replaced(gate, "_out_of_bounds", lambda *_: iter(()))


@mutant("locked", "S10_settings")
def wrong_settings_version() -> None:
    """An arbitrage names the first settings there ever were."""

    def write(session: Any, request: Any, view: Any, *rest: Any) -> Any:
        first = replace(view, saved=replace(view.saved, version=1))
        return original(session, request, first, *rest)

    original = replaced(gate, "_write_arbitrage", write)


@mutant("locked", "Q5_reservations")
def second_gate_verdict() -> None:
    """The gate, run twice, charges the day twice."""

    def verdict(session: Any, row: Any, request: Any) -> Any:
        gate._charge_day(session, request, gate._look(session, request))
        return original(session, row, request)

    async def twice(self: Any, request: Any) -> Any:
        await once(self, request)
        return await once(self, request)

    original = replaced(gate, "_first_verdict", verdict)
    once = EntryActivities.reserve
    twice.__dict__.update(once.__dict__)
    replaced(EntryActivities, "reserve", twice)


@mutant("locked", "Q5_reservations")
def reservation_leaks() -> None:
    """What is locked goes on being charged to the day."""
    replaced(risk_day, "release", lambda *_: None)


@mutant("held_at_a_loss", "S7_daily_limit")
def locked_loss_is_free() -> None:
    """A loss that is certain costs the day nothing before the question is answered."""

    def release(session: Any, arb_id: str, into: Any, result: Any, now_ms: int) -> None:
        held = row_of(session, arb_id).phase == Phase.HOLDING
        original(session, arb_id, into, usd(0) if held else result, now_ms)

    original = replaced(risk_day, "release", release)


@mutant("only_matched", "S7_daily_limit")
def match_is_a_hedge() -> None:
    """The loss at risk is released with the lock, whatever the chain may still void."""
    replaced(lifecycle, "_hedged", lambda _: True)


@mutant("unsellable", "B5_no_silent_exposure")
def swallowed_alarm() -> None:
    """No alarm is ever raised."""
    replaced(alarms, "raise_alarm", lambda *_: 0)


@mutant("kalshi_naked", "Q8_told")
def alarm_untold() -> None:
    """Alarms are rows and nobody hears of them."""
    replaced(alarms, "_tell", lambda *_: None)


@mutant("kalshi_naked", "Q8_told")
def end_untold() -> None:
    """Only alarms are sent, trades are not."""

    def put(session: Any, key: str, topic: str, *rest: Any) -> Any:
        return topic == "alarm" and original(session, key, topic, *rest)

    original = replaced(outbox, "put", put)


@mutant("polymarket_naked", "S11_lifecycle")
def step_unrecorded() -> None:
    """Phases change without an event that says so."""

    def append(session: Any, row: Any, kind: str, *rest: Any) -> int:
        if kind != "phase":
            return int(original(session, row, kind, *rest))
        row.revision += 1
        return int(row.revision)

    original = replaced(events, "append", append)


@mutant("polymarket_naked", "Q1_ended")
def end_without_reason() -> None:
    """An arbitrage ends and does not say why."""

    def conclude(session: Any, end: Any) -> Any:
        return original(session, replace(end, reason=""))

    original = replaced(lifecycle, "conclude", conclude)


@mutant("locked", "S20_audit_chain")
def audit_unsealed() -> None:
    """Audit rows carry no hash of what they say."""
    replaced(audit, "_seal", lambda _: "0" * 64)


@mutant("locked", "S17_authority")
def settings_unaudited() -> None:
    """Settings are saved and nobody has done it."""
    replaced(vars(settings)["audit"], "record", lambda *_: "")


@mutant("locked", "S13_integers")
def profit_rounded_up() -> None:
    """A plan's profit is rounded in our favour."""

    def write(*arguments: Any) -> Any:
        row = original(*arguments)
        row.profit_micro += 1
        return row

    original = replaced(gate, "_write_arbitrage", write)


@mutant("polymarket_naked", "Q2_hedged")
def flat_too_early() -> None:
    """An arbitrage is over as soon as a sale was tried."""

    async def not_sent(desk: Any, ticket: Any) -> Any:
        refusal = NotFilled(Rejection.KILLED, "sold, surely")
        await desk.journal.record_answer(ticket.order.intent_id, refusal, desk.wall_ms())
        return refusal

    def decide(self: Any) -> Any:
        return StandDown() if self.attempts_left < self._allowed else original(self)

    replaced(step, "send_once", not_sent)
    original = replaced(state.TradeState, "decide", decide)
