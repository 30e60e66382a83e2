"""What a person watches: a live table on a terminal, plain lines elsewhere."""

from collections.abc import Mapping
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from app.demo.play import Played
from app.demo.report import Summary

MARKS = {True: "✓", False: "✗"}


class Screen:
    """Talks on stderr. Use it as a context; `tell` may be called from the event loop."""

    def __init__(self, acts: int, *, quiet: bool) -> None:
        self._console = Console(stderr=True, quiet=quiet, highlight=False)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self._console,
        )
        self._task = self._progress.add_task("starting Temporal, exchanges, executor", total=acts)
        self._table = Table("", "what happened", "pair", "how it ended", box=None, pad_edge=False)
        self._live: Live | None = None

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            view = Table.grid()
            view.add_row(self._table)
            view.add_row(self._progress)
            self._live = Live(view, console=self._console, refresh_per_second=8)
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def say(self, words: str) -> None:
        """What is going on now."""
        self._progress.update(self._task, description=words)
        if self._live is None:
            self._console.print(words)

    def tell(self, played: Played) -> None:
        """One act is over."""
        self._progress.advance(self._task)
        mark = MARKS[played.problem is None]
        row = (mark, played.staged.act.name, played.staged.pair, played.said)
        self._table.add_row(*row)
        if self._live is None:
            self._console.print(" ".join(row))

    def conclude(self, summary: Summary, urls: Mapping[str, str]) -> None:
        """The numbers at the end."""
        numbers = Table(box=None, pad_edge=False, show_header=False)
        numbers.add_row("trades", _counts(summary.trades))
        numbers.add_row("refused", _counts(summary.refused))
        numbers.add_row(
            "orders", f"{summary.orders_sent} sent, {summary.duplicate_orders} more than once"
        )
        naked, latency = summary.naked_seconds, summary.signal_to_send_ms
        numbers.add_row("naked", f"p50 {naked['p50']} s, at most {naked['max']} s")
        numbers.add_row("signal to send", f"p50 {latency['p50']} ms, p99 {latency['p99']} ms")
        numbers.add_row("ledgers", f"differ by ${summary.ledger_drift_usd}")
        for name in ("dashboard", "telegram", "temporal_ui"):
            if name in urls:
                numbers.add_row(name.replace("_ui", ""), urls[name])
        self._console.print(numbers)
        for violation in summary.violations:
            self._console.print(f"✗ {violation}")
        if not summary.violations:
            self._console.print("✓ both ledgers agree with the journal to the micro-dollar")


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{number} {name}" for name, number in counts.items()) or "none"
