"""The cash at a venue: all of it, and what an order on one market can use."""

from collections.abc import Mapping
from dataclasses import dataclass

from domain.money import NO_USD, Usd
from domain.venue import Instrument


@dataclass(frozen=True, slots=True)
class Funds:
    """Dollars at one venue. `shards` has them by the part of the venue that they lie on (Kalshi's
    `exchange_index`); an order can use those of its own market's shard only. None where the venue
    has one purse, or told of no shards."""

    total: Usd
    shards: Mapping[int, Usd] | None = None

    def usable(self, instrument: Instrument) -> Usd:
        """Dollars that an order for the instrument can use. A shard that is not named has none."""
        if self.shards is None:
            return self.total
        return self.shards.get(instrument.exchange_index, NO_USD)
