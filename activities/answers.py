"""Alarms about answers: one that a venue gives alone, and a win that nobody redeems.

A held pair counts as locked because both venues answer alike. A venue that pays a fair price
leaves the other leg a bet at once; a plain answer does so only if the other venue differs, which
is told once it takes unusually long. When an answer was first seen is an event of the journal:
who looks next may be another executor.
"""

from collections.abc import Mapping

from activities.desk import Desk
from domain import answers as answered
from domain.answers import Alone, Answered
from domain.money import show_cost, show_usd, tidy
from domain.payout import paid_out
from domain.venue import Venue
from store.alarms import Alarm
from store.answers import News, keys
from store.arbitrages import ArbitrageState
from store.states import Severity

ALONE_MS = 24 * 3_600_000
REDEEM_MS = 2 * 3_600_000
AGAIN_MS = 24 * 3_600_000
"""How often an amber one is told: nothing about it is urgent."""
HOUR_MS = 3_600_000
NAMES = {Venue.POLYMARKET: "Polymarket", Venue.KALSHI: "Kalshi"}


async def about_answers(
    desk: Desk, state: ArbitrageState, answers: Mapping[Venue, Answered]
) -> None:
    """`answers` are those that are known now of the venues where anything is held."""
    now_ms = desk.wall_ms()
    known = await desk.journal.answers_waiting(state.arb_id)
    since = {venue.value: known.since.get(venue, now_ms) for venue in answers}
    wanted = {alarm.key: alarm for alarm in _wanted(state, answers, since, now_ms)}
    due = [one for one in wanted.values() if _due(one, known.told.get(one.key), now_ms)]
    over = [key for key in known.told if key not in wanted]
    if due or over or since != known.since:
        news = News(since, _said(answers), due, over)
        await desk.journal.tell_answers(state.arb_id, news, now_ms)


def _due(alarm: Alarm, told_ms: int | None, now_ms: int) -> bool:
    """A red one is said at every look, as all are that a person must see."""
    if told_ms is None or alarm.severity is Severity.RED:
        return True
    return now_ms - told_ms >= AGAIN_MS


def _wanted(
    state: ArbitrageState,
    answers: Mapping[Venue, Answered],
    since: Mapping[str, int],
    now_ms: int,
) -> list[Alarm]:
    alone_key, redeem_key = keys(state.arb_id)
    wanted = []
    one = answered.alone((state.polymarket, state.kalshi), answers)
    if one is not None:
        age_ms = now_ms - since[one.leg.venue]
        if one.parted or age_ms >= ALONE_MS:
            red = Severity.RED if one.parted else Severity.AMBER
            said = _alone(state, one, age_ms)
            wanted.append(Alarm(alone_key, "ONE_VENUE_ANSWERED", red, said, state.arb_id))
    win = answers.get(Venue.POLYMARKET)
    if win is not None and not win.credited:
        age_ms = now_ms - since[Venue.POLYMARKET]
        if age_ms >= REDEEM_MS:
            owed = show_usd(paid_out(state.polymarket, win.pays))
            said = f"Polymarket has answered, and {owed} wait there to be redeemed"
            wanted.append(Alarm(redeem_key, "NOT_REDEEMED", Severity.AMBER, said, state.arb_id))
    return wanted


def _alone(state: ArbitrageState, one: Alone, age_ms: int) -> str:
    here, there = NAMES[one.leg.venue], NAMES[one.still.venue]
    outcome = state.opportunity.leg(one.still.venue).instrument.outcome.upper()
    rest = f"{tidy(str(one.still.held))} {outcome}"
    low, high = show_usd(one.low - one.outlay), show_usd(one.high - one.outlay)
    whole = (
        f"Together they bring {show_usd(one.low)} or {show_usd(one.high)} for "
        f"{show_cost(one.outlay)} spent: {low} or {high}"
    )
    if one.parted:
        return (
            f"{here} pays {tidy(str(one.pays))} per contract ({show_usd(one.sure)}), and {there} "
            f"has not answered: {rest} there are a bet now, and nothing is locked. {whole}"
        )
    return (
        f"{here} answered {age_ms // HOUR_MS} hours ago and pays {show_usd(one.sure)}, and {there} "
        f"has not answered: {rest} there are a bet if it answers otherwise. {whole}"
    )


def _said(answers: Mapping[Venue, Answered]) -> str:
    """The answers in words."""
    told = [
        f"{NAMES[venue]} pays {tidy(str(one.pays))} per contract"
        + ("" if one.credited else ", not credited yet")
        for venue, one in answers.items()
    ]
    return "; ".join(told) or "no answer that a held leg waits for is known"
