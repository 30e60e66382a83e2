"""What processes have counted, in Prometheus' own terms."""

from collections.abc import Iterable, Iterator
from itertools import accumulate

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric

from store.tally import BOUNDS_US, COUNTER, GAUGE, Series

MICRO = 1_000_000
BOUNDS = (*(f"{us / MICRO:g}" for us in BOUNDS_US), "+Inf")
HELP = {
    "arb_signal_to_send_seconds": "Later book read to first byte of an entry.",
    "arb_leg_seconds": "First byte of an order to its answer.",
    "arb_journal_seconds": "Transactions that an order waits for.",
    "arb_orders": "Orders by what came of sending them.",
    "arb_gate": "Verdicts of the gate.",
    "arb_questions": "Times a venue was asked what had become of an order.",
    "arb_event_loop_lag_seconds": "How late the executor's event loop is.",
    "arb_disk_free_bytes": "Free space for the data folder, or for the journal's file if less.",
    "arb_wal_bytes": "SQLite's write-ahead log.",
    "arb_clock_skew_seconds": "The venue's clock minus ours.",
    "arb_executions": "Arbitrages that came to rest, by the trade log's words.",
    "arb_leg_skew_seconds": "Between the first bytes of both entries.",
    "arb_leg_answer_skew_seconds": "Between the answers to both entries.",
    "arb_book_skew_seconds": "Between the reads of both books of a plan.",
    "arb_polled_age_seconds": "Since Temporal last answered a poll of the executor.",
    "arb_differences": "Differences between journal and venues, when first found.",
    "arb_naked_seconds": "Time in which one leg was held beyond the other, per arbitrage.",
    "arb_naked_usd_seconds": "The same, each second times the dollars that were naked.",
    "arb_time_to_flat_seconds": "First fill to last sale of what was sold back.",
    "arb_rollback_loss_usd": "What selling back has lost.",
    "arb_voided_fills": "Fills that the venue took back.",
    "arb_ghost_fills": "Fills that the venue took back, by market.",
    "arb_entry_paid_usd": "What entries cost without fees.",
    "arb_entry_planned_usd": "The same fills at the prices that their books had promised.",
    "arb_fees_usd": "Fees as booked.",
    "arb_fees_by_formula_usd": "The same fills by the venue's formula.",
}
SDK = "Of Temporal's SDK."


def families(told: Iterable[tuple[dict[str, str], Series]]) -> Iterator[Metric]:
    """One family per name; each series also has the labels that it comes with."""
    by_name: dict[tuple[str, str], list[tuple[dict[str, str], list[int]]]] = {}
    for more, (name, kind, labels, numbers) in told:
        both = more | dict(labels)
        by_name.setdefault((name, kind), []).append((both, numbers))
    for (name, kind), series in by_name.items():
        yield _family(name, kind, series)


def _family(name: str, kind: str, series: list[tuple[dict[str, str], list[int]]]) -> Metric:
    names = list(dict.fromkeys(label for labels, _ in series for label in labels))
    said = HELP.get(name, SDK)
    scale = MICRO if name.endswith(("_seconds", "_usd")) else 1
    if kind in (COUNTER, GAUGE):
        of_kind = CounterMetricFamily if kind == COUNTER else GaugeMetricFamily
        single = of_kind(name, said, labels=names)
        for labels, (value,) in series:
            single.add_metric([labels.get(one, "") for one in names], value / scale)
        return single
    spread = HistogramMetricFamily(name, said, labels=names)
    for labels, (*counts, total) in series:
        buckets = list(zip(BOUNDS, accumulate(counts), strict=True))
        spread.add_metric([labels.get(one, "") for one in names], buckets, total / scale)
    return spread
