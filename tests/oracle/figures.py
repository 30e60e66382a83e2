"""Figures of a run by the judge's own arithmetic: drift, duplicates, how long legs were naked."""

from collections import Counter
from collections.abc import Iterable, Iterator
from fractions import Fraction

from tests.oracle.quiet import journal_cash, known_naked, naked_spans
from tests.oracle.world import MS_NS, World, micro


def drift(world: World) -> Fraction:
    """Dollars by which the journal and the exchanges differ, added up without signs."""
    total = Fraction(0)
    for venue, account in world.accounts.items():
        transfers = sum(
            (Fraction(e["cash"]) for e in account.entries if e["kind"] == "transfer"),
            start=Fraction(0),
        )
        total += abs(account.cash - account.start - transfers - micro(journal_cash(world, venue)))
    return total


def duplicates(world: World) -> int:
    """Orders that arrived more than once, and repeats that an exchange refused."""
    sent = Counter((order.venue, order.key) for order in world.orders)
    repeats = sum(times - 1 for times in sent.values())
    return repeats + sum(account.duplicates for account in world.accounts.values())


def times_to_even(world: World) -> Iterator[tuple[str, int]]:
    """For every trade that was naked: the venue of the excess, and the milliseconds from when
    both legs were known and final to the last trade that made it even, by the exchange's clock.

    Not counted are spans in which no executor could act, and those in which nothing may be done
    since an order of this way out has lost its answer: it is known again once that is found.
    """
    for row in world.admitted:
        known = known_naked(world, row)
        if known is None or row["phase"] == "NEEDS_OPERATOR":
            continue
        start, _, venue = known
        trades = [
            trade.at_ns // MS_NS
            for order, intent in world.orders_by_arbitrage.get(row["id"], ())
            for trade in order.trades
            if intent["purpose"] in ("unwind", "complete")
        ]
        if trades:
            end = max(trades)
            blind = sorted(
                [*world.rules.outages, *_unknown_spans(world, row["id"])], key=lambda span: span[0]
            )
            yield venue, max(end - start - _covered(blind, start, end), 0)


def _unknown_spans(world: World, arb_id: str) -> list[tuple[int, int]]:
    """When an order that is no entry was sent, had no answer, and had to be asked for."""
    return [
        (row["sent_ms"], row["answered_ms"])
        for row in world.rows_of("intents", "arb_id", arb_id)
        if row["purpose"] != "entry" and world.rows_of("observations", "intent_id", row["id"])
        if row["sent_ms"] is not None and row["answered_ms"] is not None
    ]


def _covered(spans: Iterable[tuple[int, int]], start: int, end: int) -> int:
    """Milliseconds of this time that lie in any of the spans, which are in the order of their
    beginnings."""
    total, reached = 0, start
    for begin, stop in spans:
        begin, stop = max(begin, reached), min(stop, end)
        if stop > begin:
            total, reached = total + stop - begin, stop
    return total


def times_to_alarm(world: World) -> Iterator[int]:
    """Milliseconds from the moment that a pair was naked, by the exchanges' clocks, to the alarm
    that opened while it was. Spans in which no executor could act are not counted."""
    for row in world.admitted:
        opened = [a["opened_ms"] for a in world.rows_of("alarms", "arb_id", row["id"])]
        for start, end in naked_spans(world, row):
            within = [at for at in opened if start <= at <= end]
            if within:
                yield max(min(within) - start - world.rules.down(start, min(within)), 0)
