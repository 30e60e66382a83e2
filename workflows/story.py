"""How an arbitrage reads in the Temporal UI: summaries, details and search attributes."""

from typing import Any

from temporalio import workflow
from temporalio.common import (
    SearchAttributeKey,
    SearchAttributePair,
    SearchAttributeUpdate,
    TypedSearchAttributes,
)

from activities.messages import Activity, ArbitrageInput
from domain.money import Price, Size, plain, show_usd
from domain.opportunity import Opportunity, PlannedLeg
from domain.trade import Phase
from domain.venue import Venue
from workflows.snapshot import Snapshot

PHASE = SearchAttributeKey.for_keyword("ArbPhase")
PAIR = SearchAttributeKey.for_keyword("ArbPair")
OUTCOME = SearchAttributeKey.for_keyword("ArbOutcome")
MODE = SearchAttributeKey.for_keyword("ArbMode")
STAKE = SearchAttributeKey.for_float("ArbStake")
PNL = SearchAttributeKey.for_float("ArbPnl")
NEEDS_OPERATOR = SearchAttributeKey.for_bool("ArbNeedsOperator")

SEARCH_ATTRIBUTES = (PHASE, PAIR, OUTCOME, MODE, STAKE, PNL, NEEDS_OPERATOR)
SHOWN_FROM_THE_FIRST = frozenset(Phase) - {Phase.RESOLVING, Phase.SETTLING, Phase.REFUSED}
"""Phases that every history shows; those that began before the patch show no other."""
SHOW_ALL = "show-all"

_SUMMARY_BYTES = 200


def summary(opportunity: Opportunity) -> str:
    """One line for the list of workflows, at most 200 bytes."""
    legs = f"{_leg(opportunity.polymarket)} + {_leg(opportunity.kalshi)}"
    gain = f"at least {show_usd(opportunity.profit)} ({opportunity.roi:.1f} %)"
    line = f"{opportunity.size} × {legs}, {gain} · {opportunity.title}"
    return line.encode()[:_SUMMARY_BYTES].decode(errors="ignore")


def details(plan: ArbitrageInput) -> str:
    """What was planned, as a table."""
    opportunity = plan.opportunity
    rows = [
        "| leg | buy | limit | outlay at most |",
        "| --- | --- | --- | --- |",
        *(
            f"| {leg.instrument.venue} | {leg.size} {leg.instrument.outcome.upper()} "
            f"| {leg.limit} | {show_usd(leg.outlay)} |"
            for leg in (opportunity.polymarket, opportunity.kalshi)
        ),
    ]
    head = f"**{opportunity.title}** ({plan.mode} money, pair `{opportunity.pair_id}`)"
    promise = (
        f"Pays {show_usd(opportunity.payout)} whatever happens, costs at most "
        f"{show_usd(opportunity.outlay)}: {show_usd(opportunity.profit)} or more."
    )
    return "\n".join([head, "", *rows, "", promise])


def current_details(snapshot: Snapshot) -> str:
    """Where it stands now: both legs and the story so far."""
    rows = [
        f"**{snapshot.phase}** · {snapshot.status} · {snapshot.reason}",
        "",
        "| leg | held | settled | paid | received | note |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for report in (snapshot.polymarket, snapshot.kalshi):
        leg = report.state
        note = "unknown, being asked" if leg.unknown else (report.result.error or "")
        if leg.neutral:
            note = f"{plain(leg.neutral)} neutral pairs, a dollar each whatever the answer"
        settled = "yes" if leg.settled else "provisional"
        rows.append(
            f"| {leg.venue} | {leg.held} of {leg.planned} | {settled} "
            f"| {show_usd(leg.paid, 4)} | {show_usd(leg.received, 4)} | {note} |"
        )
    rows += ["", *(f"- {h.phase}: {h.said}" for h in snapshot.story)]
    return "\n".join(rows)


def starting_attributes(plan: ArbitrageInput) -> TypedSearchAttributes:
    """What a search finds from the first moment on."""
    opportunity = plan.opportunity
    return TypedSearchAttributes(
        [
            SearchAttributePair(PHASE, Phase.RESERVING.value),
            SearchAttributePair(PAIR, opportunity.pair_id),
            SearchAttributePair(MODE, plan.mode.value),
            SearchAttributePair(STAKE, float(opportunity.outlay)),
            SearchAttributePair(NEEDS_OPERATOR, False),
        ]
    )


def show(snapshot: Snapshot, *, asked: bool) -> None:
    """Let a search find it in this phase; `asked`: a person is, until the pair is even or over.
    A command of the workflow, so nothing for a phase that is over within the same task."""
    if snapshot.phase in SHOWN_FROM_THE_FIRST or workflow.patched(SHOW_ALL):
        workflow.upsert_search_attributes(_attributes(snapshot, asked=asked))


def _attributes(snapshot: Snapshot, *, asked: bool) -> list[SearchAttributeUpdate[Any]]:
    ended = snapshot.phase.ended
    profit = snapshot.realised_profit if ended else snapshot.locked_profit
    return [
        PHASE.value_set(snapshot.phase.value),
        OUTCOME.value_set(snapshot.status.value),
        NEEDS_OPERATOR.value_set(asked),
        PNL.value_unset() if profit is None else PNL.value_set(float(profit)),
    ]


def leg_summary(leg: PlannedLeg) -> str:
    """The label of a leg's bar on the timeline."""
    return f"buy {_leg(leg)} × {leg.size}"


def unwind_summary(way: Activity, venue: Venue, excess: Size) -> str:
    """The label of an unwind's bar on the timeline."""
    if way is Activity.BUY_OPPOSITE:
        return f"buy the other outcome of {plain(excess)} at {venue}, fill or kill"
    return f"sell {plain(excess)} at {venue}, fill or kill"


def completion_summary(venue: Venue, size: Size, limit: Price) -> str:
    """The label of a completion's bar on the timeline."""
    return f"buy the missing {plain(size)} at {venue}, {plain(limit)} or better, fill or kill"


def _leg(leg: PlannedLeg) -> str:
    return f"{leg.instrument.outcome.upper()} {leg.instrument.venue} @ {leg.limit}"
