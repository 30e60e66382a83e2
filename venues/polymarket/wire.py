"""Requests to Polymarket's three hosts: who signs what, and what a failed read means."""

import asyncio
import time
from enum import StrEnum

from py_clob_client_v2.signer import Signer

from venues.polymarket import parse, signing
from venues.polymarket.account import ApiKey, PolymarketAccount, Wallet
from venues.polymarket.errors import quoted
from venues.port import FirstByte, VenueMisuse, VenueUnreachable
from venues.strict_json import Malformed
from venues.transport import Lost, NotSent, Reply, Timeouts, Transport

ORDER_PATH = "/order"
PASSING = (408, 425, 429)
"""Client-error statuses that say nothing against the request."""


class NotThere(VenueMisuse):
    """HTTP 404: the venue knows no such thing."""


class Host(StrEnum):
    """The venue's services."""

    CLOB = "clob"
    GAMMA = "gamma"
    DATA = "data"


class Wire:
    """One account's requests. Owns the connections and the only object that can sign."""

    def __init__(self, account: PolymarketAccount, wallet: Wallet) -> None:
        self.signer = Signer(account.private_key, wallet.chain_id)
        self._key = account.api_key
        self._deriving = asyncio.Lock()
        limits = account.timeouts
        reads = Timeouts(connect=limits.connect, total=limits.read)
        self._hosts = {
            Host.CLOB: Transport(account.clob_url, timeouts=reads),
            Host.GAMMA: Transport(account.gamma_url, timeouts=reads),
            Host.DATA: Transport(account.data_url, timeouts=reads),
        }
        # connections of their own, so that no read can hold up an order
        self._orders = Transport(
            account.clob_url, timeouts=Timeouts(connect=limits.connect, total=limits.order)
        )

    async def key(self) -> ApiKey:
        """The API key; created, or else derived, where the account names none."""
        async with self._deriving:
            if self._key is None:
                self._key = await self._obtain_key()
            return self._key

    async def send_order(
        self, key: ApiKey, body: str, first_byte: FirstByte
    ) -> Reply | NotSent | Lost:
        """Send a signed order once."""
        headers = signing.l2_headers(self.signer, key, "POST", ORDER_PATH, _now_s(), body)
        return await self._orders.send(
            "POST",
            ORDER_PATH,
            headers=headers | {"Content-Type": "application/json"},
            content=body.encode(),
            first_byte=first_byte,
        )

    async def public(self, host: Host, path: str, params: dict[str, str] | None = None) -> bytes:
        """The body of an open GET; VenueUnreachable or VenueMisuse where there is none."""
        return _body(path, await self._hosts[host].send("GET", path, params=params))

    async def private(self, path: str, params: dict[str, str] | None = None) -> bytes:
        """The body of a GET that the API key signs."""
        headers = signing.l2_headers(self.signer, await self.key(), "GET", path, _now_s())
        sent = await self._hosts[Host.CLOB].send("GET", path, headers=headers, params=params)
        return _body(path, sent)

    async def knock(self) -> None:
        """GET /ok on the orders' own connection, which keeps it open for the next order."""
        _body("/ok", await self._orders.send("GET", "/ok"))

    async def close(self) -> None:
        """Close every connection."""
        for transport in (*self._hosts.values(), self._orders):
            await transport.close()

    async def _obtain_key(self) -> ApiKey:
        """Create the key of nonce 0; where the venue has one already, derive it again."""
        clob = self._hosts[Host.CLOB]
        try:
            created = await clob.send("POST", "/auth/api-key", headers=self._l1())
            return parse.api_key(_body("/auth/api-key", created))
        except (VenueMisuse, Malformed):
            path = "/auth/derive-api-key"
            derived = await clob.send("GET", path, headers=self._l1())
            try:
                return parse.api_key(_body(path, derived))
            except Malformed as problem:
                raise VenueMisuse(f"unreadable answer: {problem}") from problem

    def _l1(self) -> dict[str, str]:
        return signing.l1_headers(self.signer, _now_s())


def _body(path: str, sent: Reply | NotSent | Lost) -> bytes:
    """The body of a 200; VenueUnreachable for what passes, VenueMisuse for the rest."""
    if isinstance(sent, NotSent):
        raise VenueUnreachable(sent.refusal.detail)
    if isinstance(sent, Lost):
        raise VenueUnreachable(sent.detail)
    if sent.status == 200:
        return sent.body
    said = f"{path}: {quoted(sent.status, parse.error_text(sent.body))}"
    if sent.status >= 500 or sent.status in PASSING:
        raise VenueUnreachable(said)
    raise NotThere(said) if sent.status == 404 else VenueMisuse(said)


def _now_s() -> int:
    return time.time_ns() // 1_000_000_000
