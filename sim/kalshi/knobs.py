"""What can be set of the simulated venue while it runs."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Final

WIRES: Final = ("2026-10", "2026-06")


@dataclass(frozen=True, slots=True)
class Knobs:
    """Times in ms, rates in tokens per second; `wire` is the month whose payload keys are spoken.

    `list_killed`: whether reads list a killed fill-or-kill (not recorded from the venue).
    `clock_ahead_ms`: by how much its own clock, which signatures and `Date` go by, is ahead.
    `ws_*`: skip the next n book messages (their seq is used up), hold all messages back, refuse
    the next n handshakes with 502, how many messages may wait for a slow reader.
    """

    ack_ms: int = 2
    read_lag_ms: int = 0
    auth_window_ms: int = 15_000
    clock_ahead_ms: int = 0
    usage_tier: str = "prestige"
    read_rate: int = 12_000
    read_capacity: int = 12_000
    write_rate: int = 9_600
    write_capacity: int = 28_800
    fee_grid_micros: int = 100
    region_expires_in_s: int = 31_536_000
    list_killed: bool = True
    wire: str = "2026-10"
    heartbeat_s: int = 10
    ws_skip: int = 0
    ws_silent: bool = False
    ws_refuse: int = 0
    ws_buffer: int = 10_000

    def changed(self, changes: Mapping[str, object]) -> "Knobs":
        """These knobs with some turned; ValueError names the first that is unknown or wrong."""
        known = {field.name for field in fields(self)}
        for name, value in changes.items():
            if name not in known:
                raise ValueError(f"knobs: unknown {name!r}, expected one of {sorted(known)}")
            wanted = type(getattr(self, name))
            if type(value) is not wanted:
                raise ValueError(f"knobs.{name}: expected {wanted.__name__}, found {value!r}")
            if isinstance(value, int) and value < 0 and name != "region_expires_in_s":
                raise ValueError(f"knobs.{name}: expected at least 0, found {value}")
        turned: Knobs = replace(self, **changes)  # type: ignore[arg-type]
        if turned.wire not in WIRES:
            raise ValueError(f"knobs.wire: expected one of {WIRES}, found {turned.wire!r}")
        return turned

    def as_json(self) -> dict[str, object]:
        """All knobs by name."""
        return asdict(self)
