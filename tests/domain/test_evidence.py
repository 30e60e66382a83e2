"""An order that nobody sees: each condition of rule R3 missing in turn."""

from dataclasses import replace

import pytest

from domain.evidence import Observation, Quarantine, asked, conclude_absent, rest_needs
from domain.order import NotFilled, Rejection, Unknown

SENT, WAIT = 1_000, 90_000
NOW = SENT + WAIT + 5
POLYMARKET = Quarantine(wait_ms=WAIT, must="trades")
KALSHI = Quarantine(wait_ms=WAIT, needs_as_of=True, must="trades")

MISSES = (
    Observation("orders", SENT + 10, found=False),
    Observation("orders", SENT + 45_010, found=False),
    Observation("trades", SENT + WAIT, found=False, as_of_ms=SENT + WAIT),
)
FIRST, SECOND, LAST = MISSES
NEEDED = "it counts as never arrived only with"


def without_as_of(miss: Observation, as_of_ms: int | None = None) -> Observation:
    """The same miss with another as-of time of the venue, or none."""
    return replace(miss, as_of_ms=as_of_ms)


@pytest.mark.parametrize("rule", [POLYMARKET, KALSHI])
def test_all_conditions_together_prove_that_an_order_never_arrived(rule: Quarantine) -> None:
    verdict = conclude_absent(MISSES, SENT, NOW, rule)
    assert isinstance(verdict, NotFilled)
    assert verdict.rejection is Rejection.NEVER_ARRIVED


CASES = {
    "a clock that has not reached the horizon": (
        MISSES, SENT + WAIT - 1, POLYMARKET, f"{NEEDED} 90 s since it was sent"
    ),
    "two misses": ((FIRST, LAST, ), NOW, POLYMARKET, f"{NEEDED} 3 answers that it is not there"),
    "one source": (
        tuple(replace(miss, source="trades") for miss in MISSES), NOW, POLYMARKET,
        f"{NEEDED} answers of 2 sources",
    ),
    "misses at one moment": (
        tuple(replace(miss, at_ms=SENT + WAIT) for miss in MISSES), NOW, POLYMARKET,
        f"{NEEDED} answers 45 s apart",
    ),
    "no miss after the quarantine": (
        (FIRST, SECOND, replace(LAST, at_ms=SENT + WAIT - 1)), NOW, POLYMARKET,
        f"{NEEDED} an answer of 'trades' after 90 s",
    ),
    "a list of trades that nobody could read for all that time": (
        tuple(
            Observation(source, SENT + at_ms, found)
            for at_ms in range(1_000, WAIT + 6, 5_000)
            for source, found in (("order by hash", False), ("trades", None), ("stream", False))
        ),
        NOW, POLYMARKET, f"{NEEDED} an answer of 'trades' after 90 s",
    ),
    "a list of trades that was read in the quarantine only": (
        (*MISSES[:2], replace(LAST, at_ms=SENT + WAIT - 1), replace(SECOND, at_ms=SENT + WAIT)),
        NOW, POLYMARKET, f"{NEEDED} an answer of 'trades' after 90 s",
    ),
    "another list that the venue calls complete": (
        (FIRST, SECOND, without_as_of(LAST), replace(LAST, source="orders")), NOW, KALSHI,
        f"{NEEDED} lists that the venue calls complete up to then",
    ),
    "no as-of time": (
        (FIRST, SECOND, without_as_of(LAST)), NOW, KALSHI,
        f"{NEEDED} lists that the venue calls complete up to then",
    ),
    "an as-of time before the horizon": (
        (FIRST, SECOND, without_as_of(LAST, SENT + WAIT - 1)), NOW, KALSHI,
        f"{NEEDED} lists that the venue calls complete up to then",
    ),
    "a sighting": (
        (*MISSES, Observation("trades", SENT + 20, found=True)), NOW, POLYMARKET,
        f"{NEEDED} 90 s since it was last shown",
    ),
    "a read that failed instead of the third miss": (
        (FIRST, SECOND, replace(LAST, found=None)), NOW, POLYMARKET,
        f"{NEEDED} 3 answers that it is not there, answers of 2 sources, an answer of 'trades'",
    ),
    "a miss from before it was sent": (
        (replace(FIRST, at_ms=SENT - 1), SECOND, LAST), NOW, POLYMARKET,
        f"{NEEDED} 3 answers that it is not there",
    ),
    "nothing read at all": ((), NOW, POLYMARKET, f"{NEEDED} 3 answers that it is not there"),
}  # fmt: skip


@pytest.mark.parametrize(("seen", "now", "rule", "needed"), CASES.values(), ids=CASES.keys())
def test_without_one_of_them_the_order_stays_unknown_and_the_evidence_says_what_is_missing(
    seen: tuple[Observation, ...], now: int, rule: Quarantine, needed: str
) -> None:
    verdict = conclude_absent(seen, SENT, now, rule)
    assert isinstance(verdict, Unknown)
    assert needed in verdict.evidence


def test_a_trade_that_was_shown_outweighs_any_number_of_misses() -> None:
    many = tuple(replace(LAST, at_ms=SENT + n * WAIT) for n in range(100))
    seen = (*MISSES, *many, Observation("trades", SENT, found=True))
    verdict = conclude_absent(seen, SENT, SENT + 100 * WAIT, POLYMARKET)
    assert verdict == Unknown(f"{NEEDED} no trade of it shown")


SHOWN = 20_000
"""When the order's own record was last shown, after it was sent."""
VANISHED = (
    Observation("orders", SENT + 10, found=True),
    Observation("orders", SENT + SHOWN, found=True),
    *(replace(miss, at_ms=miss.at_ms + SHOWN, as_of_ms=miss.at_ms + SHOWN) for miss in MISSES),
    Observation("orders", SENT + SHOWN + WAIT, found=False),
)


@pytest.mark.parametrize("rule", [POLYMARKET, KALSHI])
def test_an_order_that_was_shown_and_is_gone_is_missed_for_a_quarantine_of_its_own(
    rule: Quarantine,
) -> None:
    """Ended orders vanish from lists: one look at it while it worked is not its fate."""
    early = conclude_absent(VANISHED, SENT, NOW + SHOWN - 6, rule)
    assert early == Unknown(f"{NEEDED} 90 s since it was last shown")
    verdict = conclude_absent(VANISHED, SENT, NOW + SHOWN, rule)
    assert isinstance(verdict, NotFilled)
    assert verdict.rejection is Rejection.NEVER_ARRIVED
    assert verdict.detail.endswith("since it was last shown")


@pytest.mark.parametrize("source", ["user stream", "kalshi stream"])
def test_a_stream_that_told_of_it_need_not_miss_it(source: str) -> None:
    """It tells, and is not asked: that of the next process never heard of the order, and cannot
    say so, since it was not connected when it was sent."""
    told = Observation(source, SENT + SHOWN, found=True)
    deaf = tuple(
        Observation(source, SENT + SHOWN + at_ms, found=None) for at_ms in (1_000, WAIT, WAIT + 1)
    )
    verdict = conclude_absent((*VANISHED, told, *deaf), SENT, NOW + SHOWN, POLYMARKET)
    assert isinstance(verdict, NotFilled)


GONE_CASES = {
    "misses from before it was last shown": (
        (*MISSES, Observation("stream", SENT + WAIT + 1, found=True)), POLYMARKET,
        "3 answers that it is not there",
    ),
    "a list of trades that cannot be read": (
        tuple(replace(o, found=None) if o.source == "trades" else o for o in VANISHED), POLYMARKET,
        "an answer of 'trades' after 90 s",
    ),
    "its own record that cannot be read": (
        (
            *(replace(o, found=o.found or None) for o in VANISHED if o.source == "orders"),
            *(replace(o, source="stream") for o in VANISHED if o.found is False),
            VANISHED[-2],
        ), POLYMARKET, "an answer of who showed it",
    ),
    "an as-of time within the quarantine": (
        tuple(replace(o, as_of_ms=SENT + WAIT) for o in VANISHED), KALSHI,
        "lists that the venue calls complete up to then",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", GONE_CASES)
def test_each_condition_keeps_an_order_that_is_gone_unknown(case: str) -> None:
    seen, rule, needed = GONE_CASES[case]
    verdict = conclude_absent(seen, SENT, SENT + 3 * WAIT, rule)
    assert isinstance(verdict, Unknown)
    assert needed in verdict.evidence


LISTED = Observation("trades", SENT + WAIT, found=True)
GONE = tuple(
    Observation("order by hash", SENT + at_ms, found=False) for at_ms in (10, 45_010, WAIT)
)
PARTS = {
    "too early": ((*GONE, LISTED), NOW - 6, "90 s since it was sent"),
    "two misses": (
        (*GONE[1:], LISTED), NOW,
        "3 answers that its own record is gone, answers 45 s apart",
    ),
    "the order is still shown": (
        (*GONE, replace(GONE[2], found=True, at_ms=NOW), LISTED), NOW,
        "3 answers that its own record is gone",
    ),
    "misses before it was last shown": (
        (*GONE[:2], replace(GONE[0], found=True, at_ms=SENT + 50_000), GONE[2], LISTED),
        NOW,
        "3 answers that its own record is gone",
    ),
    "a failed read is no miss": (
        (*GONE[:2], replace(GONE[2], found=None), LISTED), NOW,
        "3 answers that its own record is gone",
    ),
    "trades listed before the quarantine only": (
        (*GONE, replace(LISTED, at_ms=NOW - 6 - WAIT)), NOW, "its trades listed after",
    ),
}  # fmt: skip


def test_trades_of_an_order_whose_record_is_gone_are_all_there_will_be() -> None:
    assert rest_needs((*GONE, LISTED), SENT, NOW, POLYMARKET) is None


@pytest.mark.parametrize("case", PARTS)
def test_each_condition_keeps_the_rest_of_an_order_open(case: str) -> None:
    observations, now_ms, needed = PARTS[case]
    said = rest_needs(observations, SENT, now_ms, POLYMARKET)
    assert said is not None
    assert needed in said


def test_what_was_asked_is_told_by_source_with_how_often_and_what_it_said() -> None:
    missed = replace(SECOND, source="trades")
    failed = Observation("orders", SENT + 50_000, found=None, detail="HTTP 503: try again later")
    assert asked((FIRST, missed, failed, replace(LAST, source="orders"))) == (
        "asked orders: not there 2 times, not readable once; trades: not there once; "
        "the last failure: HTTP 503: try again later"
    )
    assert asked((FIRST, missed)) == "asked orders, trades: not there once each"
    assert asked(()) == "nothing could be asked yet"
