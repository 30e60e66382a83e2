"""Accounts: cash and positions as folds over append-only entries."""

from collections.abc import Callable
from dataclasses import dataclass

from sim.units import decimal_text


@dataclass(frozen=True, slots=True)
class Entry:
    """One booking: micro-dollars of cash and micro-contracts of `asset`, both signed."""

    seq: int
    ts_ns: int
    kind: str
    asset: str
    cash: int
    position: int
    ref: str

    def as_json(self) -> dict[str, object]:
        """The booking with its money as strings."""
        return {
            "seq": self.seq,
            "ts_ns": self.ts_ns,
            "kind": self.kind,
            "asset": self.asset,
            "cash": decimal_text(self.cash),
            "position": decimal_text(self.position),
            "ref": self.ref,
        }


class Account:
    """Cash in micro-dollars and positions per asset in micro-contracts."""

    def __init__(self, start_cash: int, clock: Callable[[], int]) -> None:
        self.start_cash = start_cash
        self.cash = start_cash
        self.positions: dict[str, int] = {}
        self.entries: list[Entry] = []
        self._clock = clock

    def book(
        self, kind: str, ref: str, *, asset: str = "", cash: int = 0, position: int = 0
    ) -> Entry:
        """Append one entry and apply it; `kind` is a word such as buy, sell, fee, payout."""
        if position and not asset:
            raise ValueError(f"entry {kind} {ref} moves a position of no asset")
        entry = Entry(len(self.entries) + 1, self._clock(), kind, asset, cash, position, ref)
        self.entries.append(entry)
        self.cash += cash
        if position:
            left = self.positions.get(asset, 0) + position
            if left:
                self.positions[asset] = left
            else:
                del self.positions[asset]
        return entry

    def position(self, asset: str) -> int:
        """The signed position in an asset, 0 when there is none."""
        return self.positions.get(asset, 0)

    def conserved(self) -> bool:
        """Whether cash and positions equal the start plus the sum of all entries."""
        cash = self.start_cash + sum(entry.cash for entry in self.entries)
        positions: dict[str, int] = {}
        for entry in self.entries:
            if entry.position:
                positions[entry.asset] = positions.get(entry.asset, 0) + entry.position
        held = {asset: size for asset, size in positions.items() if size}
        return cash == self.cash and held == self.positions
