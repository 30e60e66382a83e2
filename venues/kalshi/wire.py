"""Signed requests to Kalshi: what a failed read means, and the venue's clock."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import TypeVar
from urllib.parse import urlsplit

from venues.kalshi import errors, orders, parse
from venues.kalshi.account import KalshiAccount
from venues.kalshi.signing import Signer
from venues.port import FirstByte, VenueMisuse, VenueUnreachable
from venues.strict_json import EPOCH, MILLISECOND, Malformed, Node
from venues.strict_json import parse as parse_json
from venues.transport import Lost, NotSent, Reply, Timeouts, Transport

Row = TypeVar("Row")
PASSING = frozenset({408, 425, 429})
"""Client-error statuses that say nothing against the request."""
PAGES_MAX = 50
ROWS_A_PAGE = "200"
CLOCK_WITHIN_MS = 1_000
"""How long a reply may take whose Date is held against our clock."""


class NotThere(VenueMisuse):
    """404: the venue does not know what was asked for."""


class Wire:
    """One account's connections."""

    def __init__(self, account: KalshiAccount, signer: Signer) -> None:
        times = account.timeouts
        self._signer = signer
        self._root = urlsplit(account.base_url).path.rstrip("/")
        self._order_time: timedelta = times.order
        self._transport = Transport(
            account.base_url, timeouts=Timeouts(connect=times.connect, total=times.read)
        )
        self.skew_ms: int | None = None

    async def order(self, body: orders.Body, first_byte: FirstByte) -> Reply | NotSent | Lost:
        """Send an order once."""
        reply = await self._transport.send(
            "POST",
            orders.PATH,
            headers={
                **self._signer.headers("POST", self._root + orders.PATH),
                "content-type": "application/json",
            },
            content=json.dumps(body, separators=(",", ":")).encode(),
            first_byte=first_byte,
            total=self._order_time,
        )
        self._note_clock(reply)
        return reply

    async def get(self, path: str, params: Mapping[str, str | Sequence[str]] | None = None) -> Node:
        """The body of a read: VenueUnreachable where asking again may help, NotThere for a 404,
        VenueMisuse for any other refusal and for a body that is no JSON."""
        return _body(path, await self.ask(path, params))

    async def ask(
        self, path: str, params: Mapping[str, str | Sequence[str]] | None = None
    ) -> Reply:
        """The reply to a read, of any status; VenueUnreachable where there was none."""
        headers = self._signer.headers("GET", self._root + path)
        reply = await self._transport.send("GET", path, headers=headers, params=params)
        self._note_clock(reply)
        match reply:
            case NotSent(refusal):
                raise VenueUnreachable(refusal.detail)
            case Lost(detail):
                raise VenueUnreachable(detail)
            case Reply():
                return reply

    async def rows(
        self, path: str, name: str, read: Callable[[Node], Row], params: Mapping[str, str]
    ) -> tuple[Row, ...]:
        """All pages of a list."""
        found: list[Row] = []
        cursor = ""
        for _ in range(PAGES_MAX):
            asked = {"limit": ROWS_A_PAGE, **params, **({"cursor": cursor} if cursor else {})}
            rows, cursor = readable(parse.page)(await self.get(path, asked), name, read)
            found += rows
            if not cursor:
                return tuple(found)
        raise VenueMisuse(f"{path}: expected at most {PAGES_MAX} pages, found more")

    async def close(self) -> None:
        """Close every connection."""
        await self._transport.close()

    def _note_clock(self, reply: Reply | NotSent | Lost) -> None:
        if isinstance(reply, Reply):
            server_ms = server_time_ms(reply)
            took_ms = reply.received.wall_ms - reply.sent.wall_ms
            # A slow reply says nothing exact: its moment is anywhere between.
            if server_ms is not None and 0 <= took_ms <= CLOCK_WITHIN_MS:
                self.skew_ms = server_ms - (reply.sent.wall_ms + reply.received.wall_ms) // 2


def server_time_ms(reply: Reply) -> int | None:
    """The middle of the second that the reply's Date header names; None without a readable one."""
    try:
        moment = parsedate_to_datetime(reply.headers["date"])
        return (moment - EPOCH) // MILLISECOND + 500
    except (KeyError, TypeError, ValueError):
        return None


def readable(read: Callable[..., Row]) -> Callable[..., Row]:
    """`read` with Malformed as VenueMisuse: asking again would bring the same."""

    def reading(*arguments: object) -> Row:
        try:
            return read(*arguments)
        except Malformed as problem:
            raise VenueMisuse(str(problem)) from problem

    return reading


def _body(path: str, reply: Reply) -> Node:
    if reply.status == 200:
        return readable(parse_json)(reply.body)
    told = f"GET {path}: HTTP {reply.status}: {errors.read(reply.body) or 'no known body'}"
    if reply.status == 404:
        raise NotThere(told)
    if reply.status in PASSING or not 400 <= reply.status < 500:
        raise VenueUnreachable(told)
    raise VenueMisuse(told)
