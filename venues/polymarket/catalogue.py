"""Market rules from the CLOB and Gamma, kept for a stated time and dropped when a tick changes."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import TypeVar

from domain.venue import Instrument, Outcome
from venues.polymarket import market, parse
from venues.polymarket.shapes import ClobMarket, GammaMarket
from venues.polymarket.wire import Host, NotThere, Wire
from venues.port import Untradable, VenueMisuse
from venues.strict_json import Malformed

T = TypeVar("T")


def sound(read: Callable[[bytes], T], body: bytes) -> T:
    """What `read` makes of a body; VenueMisuse where it cannot be read."""
    try:
        return read(body)
    except Malformed as problem:
        raise VenueMisuse(f"unreadable answer: {problem}") from problem


@dataclass(frozen=True, slots=True)
class _Known:
    at_ns: int
    clob: ClobMarket
    gamma: GammaMarket | None


class Catalogue:
    """What is known of markets, by condition id."""

    def __init__(self, wire: Wire, max_age: timedelta) -> None:
        self._wire = wire
        self._max_age_ns = max_age // timedelta(microseconds=1) * 1000
        self._known: dict[str, _Known] = {}
        self._tokens: dict[str, Outcome] = {}

    async def instrument(self, condition: str, outcome: Outcome) -> Instrument | Untradable:
        """The instrument, or why its market must not be traded."""
        known = self._known.get(condition)
        if known is None or time.monotonic_ns() - known.at_ns > self._max_age_ns:
            beside = asyncio.create_task(self._gamma(condition, closed=False))
            try:
                clob, gamma = await self._clob(condition), await beside
            except NotThere:
                return Untradable("market_unknown", f"the CLOB lists no market {condition}")
            finally:
                # Where one question failed the other must not outlive it, and its connection.
                beside.cancel()
                await asyncio.gather(beside, return_exceptions=True)
            if gamma is None:
                gamma = await self._gamma(condition, closed=True)
            known = self._known[condition] = _Known(time.monotonic_ns(), clob, gamma)
        refused = market.untradable(known.clob, known.gamma)
        return refused or market.instrument_of(known.clob, outcome)

    def forget(self, condition: str) -> None:
        """Ask anew the next time: the market's tick has changed."""
        self._known.pop(condition, None)

    async def outcome_of(self, condition: str, token: str) -> Outcome:
        """Which outcome a token pays on. The venue never changes it, so it is asked once."""
        if token not in self._tokens:
            yes, no = (await self._clob(condition)).tokens
            self._tokens |= {yes: Outcome.YES, no: Outcome.NO}
        if token not in self._tokens:
            raise VenueMisuse(f"expected token {token} in market {condition}, found neither side")
        return self._tokens[token]

    async def verdict(self, instrument: Instrument) -> Decimal | None:
        """What one contract pays, None while the market is open or its oracle undecided."""
        gamma = await self._gamma(instrument.market, closed=True)
        return None if gamma is None else market.verdict(gamma, instrument.outcome)

    async def _clob(self, condition: str) -> ClobMarket:
        body = await self._wire.public(Host.CLOB, f"/clob-markets/{condition}")
        return sound(lambda text: parse.clob_market(text, condition), body)

    async def _gamma(self, condition: str, *, closed: bool) -> GammaMarket | None:
        """Gamma's record; its lists hold either open or closed markets, never both."""
        params = {"condition_ids": condition, "closed": "true" if closed else "false"}
        body = await self._wire.public(Host.GAMMA, "/markets/keyset", params)
        listed = [row for row in sound(parse.gamma_markets, body) if row.market == condition]
        return listed[0] if listed else None
