"""Every line of the oracle by name: what is checked, and what cannot be yet and exactly why."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.oracle import fresh, journal, limits, orders, quiet, told
from tests.oracle.world import World

Check = Callable[[World], Iterator[str]]

ALWAYS: dict[str, Check] = {
    "S1_once": orders.s1_once,
    "S2_write_ahead": orders.s2_write_ahead,
    "S3_bounds": orders.s3_bounds,
    "S4_pair": orders.s4_pair,
    "S5_no_blind_unwind": orders.s5_no_blind_unwind,
    "S6_no_overshoot": orders.s6_no_overshoot,
    "S7_daily_limit": limits.s7_daily_limit,
    "S8_caps": limits.s8_caps,
    "S9_disable_fence": journal.s9_disable_fence,
    "S10_settings": journal.s10_settings,
    "S11_lifecycle": journal.s11_lifecycle,
    "S12_evidence": journal.s12_evidence,
    "S13_integers": journal.s13_integers,
    "S14_honest_profit": journal.s14_honest_profit,
    "S15_void": journal.s15_void,
    "S16_single_sender": orders.s16_single_sender,
    "S17_authority": journal.s17_authority,
    "S18_secrets": journal.s18_secrets,
    "S19_freshness": fresh.s19_freshness,
    "S20_audit_chain": journal.s20_audit_chain,
    "S21_replay": journal.s21_replay,
}
QUIET: dict[str, Check] = {
    "Q1_ended": quiet.q1_ended,
    "Q2_hedged": quiet.q2_hedged,
    "Q3_cash": quiet.q3_cash,
    "Q4_positions": quiet.q4_positions,
    "Q5_reservations": quiet.q5_reservations,
    "Q6_workflows": quiet.q6_workflows,
    "Q7_nothing_rests": quiet.q7_nothing_rests,
    "Q8_told": told.q8_told,
    "Q9_unknown_is_loud": quiet.q9_unknown_is_loud,
    "Q10_one_answer": quiet.q10_one_answer,
}
BOUNDS: dict[str, Check] = {
    "B1_alarm_in_time": quiet.b1_alarm_in_time,
    "B2_stopped_in_time": quiet.b2_stopped_in_time,
    "B3_resolving_after_restart": quiet.b3_resolving_after_restart,
    "B4_rest_after_heal": quiet.b4_rest_after_heal,
    "B5_no_silent_exposure": quiet.b5_no_silent_exposure,
    "B6_asked_in_time": quiet.b6_asked_in_time,
}
CHECKS = {**ALWAYS, **QUIET, **BOUNDS}
NOT_CHECKED = {
    "S19_freshness, what a book held when it was read": "the exchanges keep no history of their "
    "books; when each was read is what the executor says, held against when it was made",
}


@dataclass(frozen=True, slots=True)
class Violation:
    """One promise that was broken, by the name of its line."""

    check: str
    what: str

    def __str__(self) -> str:
        return f"{self.check}: {self.what}"


def examine(world: World, *, at_rest: bool = True) -> tuple[Violation, ...]:
    """Every broken promise. While things still move, only what must hold at every moment."""
    checks = CHECKS if at_rest else ALWAYS
    return tuple(Violation(name, what) for name, check in checks.items() for what in check(world))
