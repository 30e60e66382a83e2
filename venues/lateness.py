"""How late a stream tells: the venue's times of its changes, held against our clock."""

NS_PER_MS = 1_000_000
WINDOW_NS = 60 * 1_000_000_000


class Lateness:
    """What a change took beyond the quickest one of the last minute or two.

    A frame may wait in the venue, on the network or in our own buffers before it is read, and says
    nothing of it but the venue's time of the change. Both clocks' error and the usual way are in
    every message alike, so the quickest one stands for them. A venue's clock that is set back makes
    books look old for two windows; never new.
    """

    def __init__(self) -> None:
        self._began_ns: int | None = None
        self._quickest: int | None = None
        self._before: int | None = None

    def true_ns(self, at_ms: int, received_ns: int) -> int:
        """By our monotonic clock the latest moment at which a change of `at_ms` (the venue's clock)
        can be said to have been news: `received_ns`, when it was read, or earlier."""
        took = received_ns - at_ms * NS_PER_MS
        if self._began_ns is None or received_ns - self._began_ns > WINDOW_NS:
            self._began_ns, self._before, self._quickest = received_ns, self._quickest, took
        known = [one for one in (self._before, self._quickest) if one is not None]
        usual = min(took, *known)
        self._quickest = took if self._quickest is None else min(took, self._quickest)
        return received_ns - (took - usual)
