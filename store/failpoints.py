"""Named places at which a test may kill or stop this process; inert unless FP or FP_FILE is set.

`FP=<spec>` arms this process. `FP_FILE` names a file that may hold a spec at any time; whoever
fires it removes it first, so that it fires once however often the process is started again.
A spec is `<point>[/<label>…]:<nth>[:stop]`: the nth pass of that place (from 1) gets SIGKILL,
with `stop` SIGSTOP. The labels of an order are its venue, purpose and action, of which a spec names
as many as it likes: `P7/kalshi/entry:1`, `P7/polymarket/unwind/buy:1`.
"""

import os
import signal
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Point(StrEnum):
    """Where: the numbers are those of the crash matrix. P8 (bytes out, no answer yet) is made at
    the network, and is P14 (one leg back) where the other one has its answer; P9 (answer in, not
    read yet) is not told apart from P8; P15 is P5 to P11 of an unwind."""

    FOUND = "P0"
    BEFORE_START = "P1"
    STARTED = "P2"
    BEFORE_GATE = "P3"
    AFTER_GATE = "P4"
    BEFORE_INTENT = "P5"
    AFTER_INTENT = "P6"
    BEFORE_FIRST_BYTE = "P7"
    ANSWERED = "P10"
    RECORDED = "P11"
    NEXT_PHASE = "P12"
    RESOLVED = "P13"
    BEFORE_END = "P16"
    OUTBOX = "P17"
    AFTER_END = "P18"
    PAID = "P19"
    SETTINGS = "P20"
    DISABLE = "P21"
    CLOSE = "P22"
    MIGRATION = "P23"
    BACKUP = "P24"


@dataclass(frozen=True, slots=True)
class _Spec:
    place: tuple[str, ...]
    nth: int
    number: signal.Signals

    @classmethod
    def parse(cls, text: str) -> "_Spec":
        """The spec, or ValueError."""
        place, _, rest = text.strip().partition(":")
        nth, _, how = rest.partition(":")
        parts = tuple(place.split("/"))
        known = parts[0] in set(Point) and nth.isdecimal() and how in ("", "kill", "stop")
        if not known:
            raise ValueError(f"failpoint: expected <point>[/label...]:<nth>, found {text!r}")
        return cls(parts, int(nth), signal.SIGSTOP if how == "stop" else signal.SIGKILL)


_own = os.environ.get("FP", "")
_file = Path(os.environ["FP_FILE"]) if "FP_FILE" in os.environ else None
_passes: Counter[str] = Counter()


def hit(point: Point, *labels: str) -> None:
    """This place was reached; `labels` are the venue, the purpose and the action of the order, or
    the part of what is being done."""
    if not _own and _file is None:
        return
    text = _own or _armed()
    if not text:
        return
    spec = _Spec.parse(text)
    here = (str(point), *labels)
    if here[: len(spec.place)] != spec.place:
        return
    _passes[text] += 1
    if _passes[text] == spec.nth:
        if _file is not None:
            _file.unlink(missing_ok=True)
        os.kill(os.getpid(), spec.number)


def _armed() -> str:
    assert _file is not None, "asked only where a file is named"
    try:
        return _file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
