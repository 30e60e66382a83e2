"""What Prometheus is told, from the live state that the pages also see."""

from collections.abc import Iterator
from decimal import Decimal

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from api.live import Live
from domain.venue import Mode


def exposition(live: Live, mode: Mode) -> bytes:
    """The text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_State(live, mode))
    return generate_latest(registry)


class _State(Collector):
    """Reads the live state when it is asked. Prometheus speaks binary numbers: these are for
    graphs, the journal keeps what is exact."""

    def __init__(self, live: Live, mode: Mode) -> None:
        self._live = live
        self._mode = mode

    def collect(self) -> Iterator[Metric]:
        """Every family."""
        yield from self._money()
        yield from self._scanners()
        hub, queries = self._live.hub, self._live.queries
        yield GaugeMetricFamily("arb_ws_clients", "Open pages.", len(hub.clients))
        yield CounterMetricFamily("arb_ws_dropped", "Pages that had to be restated.", hub.dropped)
        yield CounterMetricFamily("arb_queries", "Workflow queries asked.", queries.asked)
        open_now = len(queries.tracked)
        yield GaugeMetricFamily("arb_open", "Arbitrages that have not ended.", open_now)

    def _money(self) -> Iterator[Metric]:
        board = self._live.hub.board
        unhedged = board.get("unhedged") or {"usd": "0"}
        yield GaugeMetricFamily(
            "arb_unhedged_usd", "Dollars without a hedge.", _graph(unhedged["usd"])
        )
        survey, pulse = self._live.survey, self._live.pulse
        if survey is not None:
            pnl = GaugeMetricFamily("arb_daily_pnl_usd", "Result of the UTC day.", labels=["mode"])
            pnl.add_metric([self._mode.value], _graph(survey.stats.pnl))
            yield pnl
            trades = GaugeMetricFamily(
                "arb_daily_trades", "Trades of the UTC day.", labels=["mode"]
            )
            trades.add_metric([self._mode.value], survey.stats.trades)
            yield trades
            waiting = survey.backlog.waiting
            yield GaugeMetricFamily("arb_messages_waiting", "Messages not sent yet.", waiting)
        if pulse is not None:
            halted = GaugeMetricFamily("arb_halted", "Entries are latched off.", labels=["reason"])
            halted.add_metric([pulse.run_state.reason or ""], int(pulse.run_state.halted))
            yield halted

    def _scanners(self) -> Iterator[Metric]:
        survey = self._live.survey
        alive = len(survey.executors) if survey else 0
        yield GaugeMetricFamily("arb_executors", "Executors that report.", alive)
        refused = CounterMetricFamily(
            "arb_opportunities", "Verdicts of the scanners.", labels=["executor", "stage", "reason"]
        )
        age = GaugeMetricFamily(
            "arb_book_age_seconds", "Age of the newest book.", labels=["executor", "venue"]
        )
        for one in survey.executors if survey else ():
            for stage in ("looks", "found", "started"):
                refused.add_metric([one.name, stage, ""], _graph(one.report.get(stage, 0)))
            reasons = one.report.get("refused")
            for reason, number in reasons.items() if isinstance(reasons, dict) else ():
                refused.add_metric([one.name, "refused", reason], _graph(number))
            feeds = one.report.get("feeds")
            for venue, feed in feeds.items() if isinstance(feeds, dict) else ():
                if feed.get("age_ms") is not None:
                    age.add_metric([one.name, venue], _graph(feed["age_ms"]) / 1000)
        yield refused
        yield age


def _graph(value: object) -> float:
    return float(Decimal(str(value)))
