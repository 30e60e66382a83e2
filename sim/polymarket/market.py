"""What the venue knows about one binary market: identifiers, grid, minimum, fee, delays."""

from collections.abc import Mapping
from dataclasses import dataclass

from sim.listings import Pair, PolymarketListing
from sim.polymarket.orders import NEG_RISK, PROTOCOL_V2, STANDARD, Domain
from sim.units import ONE, micros

TICKS = {100_000: 3, 10_000: 4, 5_000: 5, 2_500: 6, 1_000: 5, 100: 6}
"""Tick in micro-dollars to the decimals a limit order's dollar amount may have."""


@dataclass(slots=True)
class Market:
    """One market; money in micro-units. `winner` is None until resolution, then yes/no/half."""

    pair: str
    number: int
    listing: PolymarketListing
    condition_id: str
    yes_token: str
    no_token: str
    tick: int = 10_000
    min_size: int = 5 * ONE
    fee_rate: int = 0
    fee_exponent: int = 1
    neg_risk: bool = False
    protocol: str = "v1"
    seconds_delay: int = 0
    taker_delay_ms: int = 0
    outcomes: tuple[str, str] = ("Yes", "No")
    accepting: bool = True
    winner: str | None = None
    last_price: int | None = None

    def __post_init__(self) -> None:
        if self.tick not in TICKS:
            raise ValueError(
                f"tick of {self.pair}: expected one of {sorted(TICKS)} micros, found {self.tick}"
            )

    @property
    def domain(self) -> Domain:
        """The exchange that orders of this market must be signed for."""
        if self.protocol == "v2":
            return PROTOCOL_V2
        return NEG_RISK if self.neg_risk else STANDARD

    def outcome(self, token: str) -> str:
        """ "yes" or "no"; KeyError for a token of another market."""
        return {self.yes_token: "yes", self.no_token: "no"}[token]

    def token(self, outcome: str) -> str:
        return self.yes_token if outcome == "yes" else self.no_token

    def other(self, token: str) -> str:
        return self.no_token if token == self.yes_token else self.yes_token

    def turn(self, given: Mapping[str, object]) -> None:
        """Change the market in flight; ValueError names a wrong field or value."""
        for name, value in given.items():
            if name in ("tick", "min_size", "fee_rate"):
                setattr(self, name, micros(value))
            elif name in ("seconds_delay", "taker_delay_ms") and type(value) is int and value >= 0:
                setattr(self, name, value)
            elif name == "accepting" and isinstance(value, bool):
                self.accepting = value
            elif name == "outcomes" and isinstance(value, list) and len(value) == 2:
                self.outcomes = str(value[0]), str(value[1])
            else:
                raise ValueError(f"market {self.pair}: cannot set {name!r} to {value!r}")
        self.__post_init__()


def plain(value: int) -> str:
    """Micro-units as the venue prints them: no trailing zeros, no trailing point."""
    sign, value = ("-", -value) if value < 0 else ("", value)
    whole, fraction = divmod(value, ONE)
    return f"{sign}{whole}.{fraction:06d}".rstrip("0").rstrip(".")


def market_of(pair: Pair, number: int) -> Market:
    """The venue's market for a pair of the world; `number` makes its Gamma id."""
    listing = pair.polymarket
    return Market(
        pair=pair.id,
        number=number,
        listing=listing,
        condition_id=listing.condition_id,
        yes_token=listing.token_yes,
        no_token=listing.token_no,
        tick=micros(listing.tick),
        min_size=micros(listing.min_size),
        fee_rate=micros(listing.fee_rate),
        neg_risk=listing.neg_risk,
        protocol=listing.version,
        seconds_delay=listing.seconds_delay,
    )
