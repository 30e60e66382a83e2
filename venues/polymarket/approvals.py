"""What the wallet lets the exchange contracts take: dollars for a BUY, contracts for a SELL.

A market is matched by one of two exchange contracts, and each must be approved for itself, for
pUSD and for the outcome tokens. An order without its approval is answered 400 `not enough balance /
allowance`, whatever the balance: a BUY fails beside a filled sibling, and a SELL leaves a naked leg
that nobody can sell. Source: GET /balance-allowance, which names `allowances` by spender.
"""

import time
from collections.abc import Mapping

from domain.money import from_micro
from domain.venue import Instrument
from venues.polymarket import parse
from venues.polymarket.account import Wallet
from venues.polymarket.catalogue import sound
from venues.polymarket.orders import exchange_of
from venues.polymarket.shapes import Allowed
from venues.polymarket.wire import Wire
from venues.port import Untradable

NOT_APPROVED = "not_approved"
KEPT_NS = 30_000_000_000
"""For how long what was read is believed: one look serves all markets of an exchange."""


class Approvals:
    """Of one account. Raises VenueUnreachable or VenueMisuse where the venue does not tell."""

    def __init__(self, wire: Wire, wallet: Wallet) -> None:
        self._wire = wire
        self._wallet = wallet
        self._known: dict[str, tuple[int, Untradable | None]] = {}

    async def lacking(self, instrument: Instrument) -> Untradable | None:
        """What the instrument's exchange is not allowed, None where it is or is not named: it must
        be allowed all dollars that are there, and the outcome tokens."""
        exchange = exchange_of(instrument, self._wallet)
        known = self._known.get(exchange)
        if known is None or time.monotonic_ns() - known[0] > KEPT_NS:
            known = time.monotonic_ns(), await self._look(exchange, instrument.token)
            self._known[exchange] = known
        return known[1]

    async def _look(self, exchange: str, token: str) -> Untradable | None:
        dollars = await self._ask({"asset_type": "COLLATERAL"})
        may = dollars.to(exchange)
        if may is not None and may < dollars.balance:
            allowed, held = (from_micro(one).normalize() for one in (may, dollars.balance))
            return _not(exchange, f"take {allowed:f} of {held:f} pUSD")
        if (await self._ask({"asset_type": "CONDITIONAL", "token_id": token})).to(exchange) == 0:
            return _not(exchange, "take no outcome token, so nothing could be sold again")
        return None

    async def _ask(self, params: Mapping[str, str]) -> Allowed:
        query = {**params, "signature_type": self._wallet.kind}
        return sound(parse.allowed, await self._wire.private("/balance-allowance", query))


def _not(exchange: str, what: str) -> Untradable:
    detail = f"the wallet lets exchange {exchange} {what}: approve it, as its site does at a trade"
    return Untradable(NOT_APPROVED, detail)
