"""One token's resting offers, kept up to date from the market stream."""

from collections.abc import Iterable, Sequence

from domain.book import Book, ladder
from domain.money import ZERO, Price, Size
from domain.venue import Venue
from venues.polymarket.shapes import Change, Snapshot

TokenChanges = tuple[int, Sequence[Change]]
"""The venue's time (ms) of a frame, and what it changed in one token's book."""


class Ladders:
    """Bids and asks by price. The venue numbers nothing, so versions follow its clock: the later
    of its timestamp (ms) and the last version plus one."""

    def __init__(self, token: str) -> None:
        self.token = token
        self._bids: dict[Price, Size] = {}
        self._asks: dict[Price, Size] = {}
        self._at_ms = 0
        self._version = 0

    def replace(self, snapshot: Snapshot) -> bool:
        """Start again from a full book; False where it is older than what is known."""
        if snapshot.at_ms < self._at_ms:
            return False
        self._bids, self._asks = dict(snapshot.bids), dict(snapshot.asks)
        self._tick_on(snapshot.at_ms)
        return True

    def apply(self, changes: Iterable[Change], at_ms: int) -> bool:
        """Set the sizes that changed; False where the frame is older than what is known."""
        if at_ms < self._at_ms:
            return False
        self._set(changes)
        self._tick_on(at_ms)
        return True

    def renew(self, snapshot: Snapshot, since: Sequence[TokenChanges]) -> bool:
        """Start again from a book that was asked for because of the first of these changes: those
        that it cannot hold yet are set again. False where it is older than that first one."""
        if snapshot.at_ms < since[0][0]:
            return False
        self._bids, self._asks = dict(snapshot.bids), dict(snapshot.asks)
        for at_ms, changes in since[1:]:
            if at_ms >= snapshot.at_ms:
                self._set(changes)
        self._tick_on(max(self._at_ms, snapshot.at_ms))
        return True

    def agrees(self, best_bid: Price | None, best_ask: Price | None) -> bool:
        """Whether the best prices that the venue names with a change are ours; None: not named."""
        bids_agree = best_bid is None or best_bid == max(self._bids, default=None)
        return bids_agree and (best_ask is None or best_ask == min(self._asks, default=None))

    def book(self, received_ns: int) -> Book:
        """The book as it stands."""
        return Book(
            venue=Venue.POLYMARKET,
            token=self.token,
            asks=ladder(self._asks.items(), best_is_lowest=True),
            bids=ladder(self._bids.items(), best_is_lowest=False),
            version=self._version,
            at_ms=self._at_ms,
            received_ns=received_ns,
        )

    def _set(self, changes: Iterable[Change]) -> None:
        for change in changes:
            side = self._bids if change.bid else self._asks
            if change.size > ZERO:
                side[change.price] = change.size
            else:
                side.pop(change.price, None)

    def _tick_on(self, at_ms: int) -> None:
        self._at_ms = at_ms
        self._version = max(self._version + 1, at_ms)
