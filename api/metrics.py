"""What Prometheus is told, from the live state that the pages also see."""

from collections.abc import Iterable, Iterator
from decimal import Decimal

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from api import slices
from api.families import families
from api.live import Live
from domain.venue import Mode
from store.tally import Series, told_by
from store.views import Pulse, Survey
from store.watch import Watched


def exposition(live: Live, mode: Mode, now_ms: int) -> bytes:
    """The text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_State(live, mode, now_ms))
    return generate_latest(registry)


class _State(Collector):
    """Reads the live state when it is asked. Prometheus speaks binary numbers: these are for
    graphs, the journal keeps what is exact.

    While the journal cannot be read, what was wrong when it last could goes on to ring, and what
    would say that all is well is left out."""

    def __init__(self, live: Live, mode: Mode, now_ms: int) -> None:
        self._live = live
        self._mode = mode
        self._now_ms = now_ms
        self._lately = live.seen.lately(now_ms)
        survey = live.survey if self._lately else None
        self._executors = survey.executors if survey else ()

    def collect(self) -> Iterator[Metric]:
        """Every family."""
        live = self._live
        hub, queries = live.hub, live.queries
        age = live.seen.age_ms(self._now_ms) / 1000
        yield _gauge("arb_seen_age_seconds", "Since the journal was last read.", age)
        yield _gauge("arb_ws_clients", "Open pages.", len(hub.clients))
        yield CounterMetricFamily("arb_ws_dropped", "Pages that had to be restated.", hub.dropped)
        yield CounterMetricFamily("arb_queries", "Workflow queries asked.", queries.asked)
        yield _gauge("arb_open", "Arbitrages that have not ended.", len(queries.tracked))
        yield _gauge("arb_audit_height", "Rows of the audit trail that were seen.", live.audited)
        yield from self._unhedged()
        yield from self._scanners()
        if live.survey is not None:
            if self._lately:
                yield from self._day(live.survey)
            yield from self._alarms(live.survey)
        if live.survey is not None and live.pulse is not None:
            yield from self._switches(live.pulse, live.survey)
        if live.watched is not None:
            yield from self._watched(live.watched)
        yield from families(self._told())

    def _told(self) -> Iterator[tuple[dict[str, str], Series]]:
        """What the executors have counted, and what was measured here."""
        for one in self._executors:
            for series in told_by(one.report.get("tally")):
                yield {"executor": one.name}, series
        for series in self._live.measured.tally.told():
            yield {}, series

    def _unhedged(self) -> Iterator[Metric]:
        unhedged = self._live.hub.board.get("unhedged") or {"usd": "0", "legs": []}
        yield _gauge("arb_unhedged_usd", "Dollars without a hedge.", _graph(unhedged["usd"]))
        by_reason: dict[tuple[str, str], Decimal] = {}
        for leg in unhedged["legs"]:
            key = leg["venue"].lower(), "kept" if leg["kept"] else leg["phase"]
            by_reason[key] = by_reason.get(key, Decimal(0)) + Decimal(leg["exposure"])
        rows = [({"venue": v, "reason": r}, _graph(usd)) for (v, r), usd in by_reason.items()]
        said = "Dollars without a hedge, by the phase that lets them be, or kept by a person."
        yield _gauges("arb_unhedged_leg_usd", said, rows, ("venue", "reason"))
        legs = len(unhedged["legs"])
        yield _gauge("arb_unhedged_legs", "Legs without a hedge.", legs)
        age = self._since(self._live.naked_since_ms)
        yield _gauge("arb_unhedged_oldest_seconds", "How long, but for what a person keeps.", age)

    def _day(self, survey: Survey) -> Iterator[Metric]:
        mode, day = {"mode": self._mode.value}, survey.stats
        pnl = _graph(day.pnl)
        yield _gauges("arb_daily_pnl_usd", "Result of the UTC day.", [(mode, pnl)])
        yield _gauges("arb_daily_trades", "Trades of the UTC day.", [(mode, day.trades)])
        waiting = survey.backlog.waiting
        yield _gauge("arb_messages_waiting", "Messages not sent yet.", waiting)
        lag = self._live.hub.board.get("services")["notifier"]["lag_ms"] / 1000
        yield _gauge("arb_notify_lag_seconds", "How long the oldest waits for a chat.", lag)

    def _alarms(self, survey: Survey) -> Iterator[Metric]:
        number: dict[tuple[str, str], int] = {}
        for alarm in survey.alarms:
            key = alarm.code, alarm.severity
            number[key] = number.get(key, 0) + 1
        rows = [({"code": code, "severity": loud}, n) for (code, loud), n in number.items()]
        yield _gauges("arb_alarms", "Open alarms.", rows, ("code", "severity"))

    def _switches(self, pulse: Pulse, survey: Survey) -> Iterator[Metric]:
        state, limits, day = pulse.run_state, pulse.saved.settings, survey.stats
        halted = [({"reason": state.reason or ""}, int(state.halted))]
        yield _gauges("arb_halted", "Entries are latched off.", halted)
        if self._lately:
            yield _gauge("arb_enabled", "Entries may leave.", int(state.stopped is None))
        loss = day.realised_loss + day.at_risk
        used = [
            ({"limit": "daily_trades"}, _share(Decimal(day.trades), limits.max_daily_trades)),
            ({"limit": "daily_loss"}, _share(loss, limits.max_daily_loss)),
        ]
        yield _gauges("arb_limit_used_ratio", "How much of a limit of the day is used.", used)

    def _watched(self, watched: Watched) -> Iterator[Metric]:
        for name, said, found in (
            ("arb_unanswered_legs", "Orders sent and not answered.", watched.asked),
            ("arb_unknown_legs", "Orders whose answer is lost.", watched.unknown),
        ):
            rows = [({"venue": venue.value}, one.number) for venue, one in found.items()]
            yield _gauges(name, said, rows)
        oldest = [
            ({"venue": venue.value}, self._since(one.oldest_ms))
            for venue, one in watched.asked.items()
        ]
        yield _gauges("arb_unanswered_oldest_seconds", "Since the oldest was sent.", oldest)
        moved = [
            ({"venue": venue.value}, _graph(usd)) for venue, usd in watched.provisional.items()
        ]
        yield _gauges("arb_provisional_usd", "Fills that may still be voided.", moved)
        read, clean = watched.compared.whole_ms, watched.compared.clean_ms
        ages = [
            ({"found": found}, self._since(at_ms))
            for found, at_ms in (("anything", read), ("nothing", clean))
            if at_ms is not None
        ]
        yield _gauges(
            "arb_compared_age_seconds", "Since both venues were compared.", ages, ("found",)
        )

    def _scanners(self) -> Iterator[Metric]:
        executors = self._executors
        yield _gauge("arb_executors", "Executors that report.", len(executors))
        sends = [({"executor": one.name}, int(bool(one.report.get("sends")))) for one in executors]
        yield _gauges("arb_sends", "Whether it holds the accounts.", sends, ("executor",))
        verdicts = CounterMetricFamily(
            "arb_opportunities", "Verdicts of the scanners.", labels=["executor", "stage", "reason"]
        )
        for one in executors:
            for stage in ("looks", "found", "started"):
                verdicts.add_metric([one.name, stage, ""], _graph(one.report.get(stage, 0)))
            reasons = one.report.get("refused")
            for reason, number in reasons.items() if isinstance(reasons, dict) else ():
                verdicts.add_metric([one.name, "refused", reason], _graph(number))
        yield verdicts
        yield from self._feeds()

    def _feeds(self) -> Iterator[Metric]:
        age, up = [], []
        problems = CounterMetricFamily(
            "arb_feed_problems", "Streams that broke, books not read.", labels=["executor", "venue"]
        )
        for one in self._executors:
            feeds = one.report.get("feeds")
            for venue, feed in feeds.items() if isinstance(feeds, dict) else ():
                labels = {"executor": one.name, "venue": venue}
                up.append((labels, int(feed.get("state") in slices.FRESH)))
                problems.add_metric([one.name, venue], feed.get("problems", 0))
                if feed.get("age_ms") is not None:
                    age.append((labels, _graph(feed["age_ms"]) / 1000))
        names = ("executor", "venue")
        yield _gauges("arb_book_age_seconds", "Age of the newest book.", age, names)
        yield _gauges("arb_feed_up", "Whether a book came within ten seconds.", up, names)
        yield problems

    def _since(self, at_ms: int | None) -> float:
        return 0.0 if at_ms is None else max(self._now_ms - at_ms, 0) / 1000


def _gauge(name: str, said: str, value: float) -> Metric:
    return GaugeMetricFamily(name, said, value)


def _gauges(
    name: str, said: str, rows: Iterable[tuple[dict[str, str], float]], labels: tuple[str, ...] = ()
) -> Metric:
    """`labels` names them where there may be no row."""
    rows = list(rows)
    names = list(labels or rows[0][0])
    family = GaugeMetricFamily(name, said, labels=names)
    for row, value in rows:
        family.add_metric([row[one] for one in names], value)
    return family


def _share(used: Decimal, limit: Decimal | int) -> float:
    """A limit of nothing is used up."""
    return _graph(used / limit) if limit else 1.0


def _graph(value: object) -> float:
    return float(Decimal(str(value)))
