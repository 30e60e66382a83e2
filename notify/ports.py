"""What a chat may have done. Whoever wires the notifier carries it out, by the way that pages use:
updates of workflows, the settings, the run state."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from store.audit import Act


class Refusal(Exception):
    """Nothing was changed, and why."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What an act would do, in lines for a person. `version` names the state it was made from: an
    act on another state is refused. `loss_max` bounds what it may cost (dollars)."""

    lines: tuple[str, ...]
    version: str
    loss_max: Decimal | None = None


class Steward(Protocol):
    """Every method raises Refusal for what is not done, and returns what is true after it."""

    async def kill(self, reason: str, act: Act) -> str:
        """Stop every entry at the last gate until a person resumes."""

    async def pause(self, act: Act) -> str:
        """Switch entries off."""

    async def preview_resume(self) -> Preview:
        """What letting entries leave again would mean."""

    async def resume(self, version: str, act: Act) -> str:
        """Release the halt, or switch entries on; never in live money what was off before."""

    async def preview_close(self, arb_id: str) -> Preview:
        """What selling both legs now would bring, against holding them."""

    async def close(self, arb_id: str, loss_max: Decimal | None, version: str, act: Act) -> str:
        """Have the workflow sell both legs."""

    async def preview_flatten(self) -> Preview:
        """What selling everything now would bring."""

    async def flatten(self, version: str, act: Act) -> str:
        """Have every workflow sell both legs."""

    async def acknowledge(self, alarm_id: int, act: Act) -> str:
        """Somebody has seen the alarm: it stops repeating."""
