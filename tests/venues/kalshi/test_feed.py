"""Books over the WebSocket: gaps, cuts, refused redials and silence, each cured by a snapshot."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractAsyncContextManager, aclosing
from decimal import Decimal

import pytest

from domain.book import Book
from domain.venue import Instrument, Outcome
from tests.venues.lab import Lab
from venues.kalshi.client import KalshiClient


async def until_ask(books: AsyncIterator[Book], price: str) -> Book:
    """The next book whose best offer is `price`."""
    async with asyncio.timeout(10):
        while True:
            book = await anext(books)
            if book.asks and book.asks[0].price == Decimal(price):
                return book


async def set_ask(kalshi: Lab, price: str) -> None:
    await kalshi.quote([["0.50", "100"]], [[price, "100"]])


async def knobs(kalshi: Lab, **turned: object) -> None:
    await kalshi.post("/knobs", venue="kalshi", knobs=turned)


def following(
    kalshi: Lab, *instruments: Instrument
) -> AbstractAsyncContextManager[AsyncGenerator[Book, None]]:
    """The books of some instruments, closed at the end of the block."""
    assert isinstance(kalshi.client, KalshiClient)
    return aclosing(kalshi.client.books(instruments))


@pytest.fixture
async def books(kalshi: Lab) -> AsyncIterator[AsyncIterator[Book]]:
    """The books of YES, past their first snapshot."""
    async with following(kalshi, kalshi.instrument) as stream:
        await until_ask(stream, "0.52")
        yield stream


async def test_a_change_is_seen_with_the_venues_time(
    kalshi: Lab, books: AsyncIterator[Book]
) -> None:
    await set_ask(kalshi, "0.53")
    first = await until_ask(books, "0.53")
    await set_ask(kalshi, "0.54")
    second = await until_ask(books, "0.54")
    assert second.version > first.version
    assert second.at_ms >= first.at_ms > 1_700_000_000_000


async def test_a_gap_is_answered_by_a_fresh_snapshot(
    kalshi: Lab, books: AsyncIterator[Book], caplog: pytest.LogCaptureFixture
) -> None:
    await knobs(kalshi, ws_skip=1)
    await set_ask(kalshi, "0.53")
    book = await until_ask(books, "0.53")
    assert [level.price for level in book.asks] == [Decimal("0.53")]
    assert "expected seq" in caplog.text


async def test_a_cut_connection_is_dialled_again(
    kalshi: Lab, books: AsyncIterator[Book], caplog: pytest.LogCaptureFixture
) -> None:
    await knobs(kalshi, ws_refuse=2)
    await knobs(kalshi, ws_drop=True)
    await set_ask(kalshi, "0.53")
    await until_ask(books, "0.53")
    await set_ask(kalshi, "0.54")
    await until_ask(books, "0.54")
    assert "polling" in caplog.text


async def test_books_are_polled_while_the_socket_stays_down(kalshi: Lab) -> None:
    await knobs(kalshi, ws_refuse=10_000)
    async with following(kalshi, kalshi.instrument) as stream:
        await until_ask(stream, "0.52")
        await set_ask(kalshi, "0.53")
        await until_ask(stream, "0.53")


async def test_a_subscription_that_stays_silent_is_given_up_for_polls(kalshi: Lab) -> None:
    await knobs(kalshi, ws_silent=True)
    async with following(kalshi, kalshi.instrument) as stream:
        await until_ask(stream, "0.52")


async def test_both_outcomes_of_one_market_are_two_views(kalshi: Lab) -> None:
    no = await kalshi.client.instrument(kalshi.market, Outcome.NO)
    assert isinstance(no, Instrument)
    async with asyncio.timeout(10), following(kalshi, kalshi.instrument, no) as stream:
        seen = {book.token: book for book in (await anext(stream), await anext(stream))}
    assert seen[kalshi.instrument.token].asks[0].price == Decimal("0.52")
    assert seen[no.token].asks[0].price == Decimal("0.50")
    assert seen[no.token].bids[0].price == Decimal("0.48")


async def test_several_markets_share_one_subscription(kalshi: Lab) -> None:
    pairs = (await kalshi.control.get("/markets")).json()["pairs"]
    other = await kalshi.client.instrument(pairs[1]["kalshi"]["ticker"], Outcome.YES)
    assert isinstance(other, Instrument)
    async with asyncio.timeout(10), following(kalshi, kalshi.instrument, other) as stream:
        tokens = {(await anext(stream)).token, (await anext(stream)).token}
    assert tokens == {kalshi.instrument.token, other.token}


async def test_closing_the_account_ends_the_books(kalshi: Lab) -> None:
    async with asyncio.timeout(10), following(kalshi, kalshi.instrument) as stream:
        await anext(stream)
        await kalshi.client.close()
        assert [book async for book in stream] == []
