"""How an executor does: what Temporal's SDK counts, its event loop, its log on disk."""

import asyncio
import time
from contextlib import suppress
from pathlib import Path

from temporalio.runtime import (
    BUFFERED_METRIC_KIND_COUNTER,
    BUFFERED_METRIC_KIND_HISTOGRAM,
    BufferedMetricUpdate,
    MetricBuffer,
    MetricBufferDurationFormat,
    Runtime,
    TelemetryConfig,
)

from app.wiring import Station, wall_ms
from store.tally import Tally

BUFFER = 200_000
DRAIN_SECONDS = 0.25
"""Often, so that taking a busy executor's updates over never holds an order up for long."""
LABELS = ("worker_type", "poller_type", "failure_reason", "status_code")
"""What is kept apart of the SDK's attributes; the others only name this one worker again."""
FAILED = "temporal_workflow_task_execution_failed"
REASONS = "NonDeterminismError", "WorkflowError"
"""What alerts wait for: there from the start, at zero. The second is code of ours that raised."""
POLLS = frozenset(f"temporal_workflow_task_queue_poll_{answer}" for answer in ("empty", "succeed"))
"""A server answers a poll after a minute at the latest, with a task or without one."""
US = 1_000_000


class SdkMetrics:
    """Temporal's SDK in a runtime that keeps its metrics for us. Made once in a process."""

    def __init__(self) -> None:
        self._buffer = MetricBuffer(BUFFER, MetricBufferDurationFormat.SECONDS)
        self.runtime = Runtime(telemetry=TelemetryConfig(metrics=self._buffer))

    def drain(self, tally: Tally) -> bool:
        """Take over what was counted since the last call; whether a poll was answered since."""
        updates = self._buffer.retrieve_updates()
        for update in updates:
            _take(tally, update)
        return any(update.metric.name in POLLS and update.value for update in updates)


class Vitals:
    """Into the tally of the executor's desk."""

    def __init__(self, station: Station, sdk: SdkMetrics, journal: Path) -> None:
        self._station = station
        self._sdk = sdk
        self._wal = journal.with_name(journal.name + "-wal")
        self.polled_ms = wall_ms()
        """When a poll of ours was last answered; the start stands for the first."""

    async def run(self) -> None:
        """For as long as the executor runs."""
        tally = self._station.desk.tally
        for reason in REASONS:
            tally.count(FAILED, 0, failure_reason=reason)
        for venue in self._station.desk.venues:
            tally.count("arb_questions", 0, venue=venue.value)
        while True:
            began_ns = time.monotonic_ns()
            await asyncio.sleep(DRAIN_SECONDS)
            late_us = (time.monotonic_ns() - began_ns) // 1_000 - int(DRAIN_SECONDS * US)
            tally.took("arb_event_loop_lag_seconds", late_us)
            if self._sdk.drain(tally):
                self.polled_ms = wall_ms()

    def look(self) -> None:
        """What is only worth a look with each report."""
        tally = self._station.desk.tally
        tally.gauge("arb_polled_age_seconds", (wall_ms() - self.polled_ms) * 1_000)
        # A folder that is gone stops entries (app.fitness), and must not stop unwinds.
        with suppress(OSError):
            if self._wal.exists():
                tally.gauge("arb_wal_bytes", self._wal.stat().st_size)


def _take(tally: Tally, update: BufferedMetricUpdate) -> None:
    metric, attributes = update.metric, update.attributes
    labels = {name: str(attributes[name]) for name in LABELS if name in attributes}
    if metric.kind == BUFFERED_METRIC_KIND_HISTOGRAM:
        tally.took(f"{metric.name}_seconds", int(update.value * US), **labels)
    elif metric.kind == BUFFERED_METRIC_KIND_COUNTER:
        tally.count(metric.name, int(update.value), **labels)
    else:
        tally.gauge(metric.name, int(update.value), **labels)
