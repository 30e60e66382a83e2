"""Acts that need a second step: a button that works once, for one person, for one minute."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

LASTS_SECONDS = 60
KEPT = 100
CONFIRM, CANCEL = "yes", "no"


@dataclass(frozen=True, slots=True)
class Offer:
    """An act that was previewed: for whom, of what, and made from which state."""

    user_id: int
    verb: str
    subject: str
    version: str
    loss_max: Decimal | None
    until: float


class Expired(Exception):
    """The button does not work (any more), and why."""


@dataclass(slots=True)
class Ladder:
    """The offers that are open. `clock` is monotonic, in seconds. They live in memory: a restart
    takes back every button."""

    clock: Callable[[], float]
    _offers: dict[str, Offer] = field(default_factory=dict)

    def offer(
        self, user_id: int, verb: str, subject: str, version: str, loss_max: Decimal | None
    ) -> tuple[tuple[str, str], ...]:
        """The two buttons under a preview, as (label, data of at most 64 bytes)."""
        while len(self._offers) >= KEPT:
            del self._offers[next(iter(self._offers))]
        nonce = secrets.token_urlsafe(16)
        until = self.clock() + LASTS_SECONDS
        self._offers[nonce] = Offer(user_id, verb, subject, version, loss_max, until)
        unbound = " at any price" if verb == "close" and loss_max is None else ""
        label = f"⚠️ Confirm {verb}{unbound}"
        return (("Cancel", f"{CANCEL}:{nonce}"), (label, f"{CONFIRM}:{nonce}"))

    def take(self, user_id: int, nonce: str) -> Offer:
        """The offer behind a button, which then works no more; raises Expired."""
        found = self._offers.get(nonce)
        if found is None:
            raise Expired("This button was used already, or is from before a restart")
        if found.user_id != user_id:
            raise Expired("This button is for the person who asked")
        del self._offers[nonce]
        if self.clock() > found.until:
            raise Expired(f"This button lasted {LASTS_SECONDS} s: ask again for current numbers")
        return found
