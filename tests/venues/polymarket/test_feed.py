"""The market stream and the user stream, over real WebSockets."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from websockets.asyncio.server import Server, ServerConnection, serve

from domain.book import Book
from domain.evidence import Observation, Quarantine
from domain.money import price, size
from domain.order import Filled
from domain.venue import Instrument, Outcome
from tests.venues.polymarket.conftest import FAST, Desk
from tests.venues.vanished import concludes_unless_matched
from venues.polymarket.account import ApiKey
from venues.polymarket.client import PolymarketClient
from venues.polymarket.feed import MarketFeed
from venues.polymarket.ladders import Ladders
from venues.polymarket.lookup import LISTED
from venues.polymarket.shapes import Change, Snapshot
from venues.polymarket.user import UserStream
from venues.port import VenueUnreachable


async def first(books: AsyncIterator[Book], wanted: Callable[[Book], bool]) -> Book:
    """The first book that is as wanted, within ten seconds."""
    async with asyncio.timeout(10):
        async for book in books:
            if wanted(book):
                return book
    raise AssertionError("the books ended")


def best_ask(book: Book) -> str:
    return str(book.asks[0].price) if book.asks else ""


class TestBooksOfTheSimulatedVenue:
    async def test_a_snapshot_comes_first_and_changes_follow(self, desk: Desk) -> None:
        no = await desk.client.instrument(desk.condition, Outcome.NO)
        assert isinstance(no, Instrument)
        async with aclosing(desk.client.books((desk.instrument, no))) as books:
            start = await first(books, lambda book: book.token == desk.instrument.token)
            assert best_ask(start) == "0.52"
            await desk.quote([["0.50", "100"]], [["0.51", "7"]])
            changed = await first(books, lambda book: best_ask(book) == "0.51")
            assert changed.asks == (await desk.client.book(desk.instrument)).asks
            assert changed.version > start.version
            assert changed.received_ns > start.received_ns
            mirrored = await first(books, lambda book: book.token == no.token)
            assert [str(level.price) for level in mirrored.bids] == ["0.49"]

    async def test_a_silent_stream_is_left_for_rest(self, desk: Desk) -> None:
        async with aclosing(desk.client.books((desk.instrument,))) as books:
            await first(books, lambda book: best_ask(book) == "0.52")
            knobs = {"ws_market_silent": True}
            await desk.post("/knobs", venue="polymarket", knobs=knobs)
            await desk.quote([["0.50", "100"]], [["0.51", "7"]])
            late = await first(books, lambda book: best_ask(book) == "0.51")
            assert [str(level.price) for level in late.asks] == ["0.51"]


def market_frames(*frames: object) -> list[str]:
    return [json.dumps(frame) for frame in frames]


def a_book(asks: list[list[str]], at_ms: str = "1000") -> dict[str, object]:
    levels = [{"price": priced, "size": sized} for priced, sized in asks]
    return {"event_type": "book", "asset_id": "1", "timestamp": at_ms, "bids": [], "asks": levels}


def a_change(priced: str, sized: str, best: str, at_ms: str = "1001") -> dict[str, object]:
    row = {
        "asset_id": "1",
        "price": priced,
        "size": sized,
        "side": "SELL",
        "best_bid": "0",
        "best_ask": best,
    }
    return {"event_type": "price_change", "timestamp": at_ms, "price_changes": [row]}


class Venue:
    """A server that says what a test wants and remembers what it heard."""

    def __init__(self, *connections: list[str]) -> None:
        self._scripts = list(connections)
        self.heard: list[str] = []
        self.connections = 0
        self._server: Server | None = None

    async def __aenter__(self) -> "Venue":
        self._server = await serve(self._talk, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"ws://127.0.0.1:{next(iter(self._server.sockets)).getsockname()[1]}"

    async def _talk(self, connection: ServerConnection) -> None:
        self.connections += 1
        self.heard.append(str(await connection.recv()))
        for frame in self._scripts.pop(0) if self._scripts else []:
            await connection.send(frame)
        async for said in connection:
            self.heard.append(str(said))
            if said == "PING":
                await connection.send("PONG")


async def no_rest(_token: str) -> Snapshot:
    raise VenueUnreachable("no REST in this test")


def a_feed(venue: Venue, ticks: list[str] | None = None, read_book: object = None) -> MarketFeed:
    return MarketFeed(
        venue.url,
        ["1"],
        FAST,
        read_book or no_rest,  # type: ignore[arg-type]
        (ticks if ticks is not None else []).append,
    )


class TestMarketStream:
    async def test_it_subscribes_pings_and_comes_back_when_only_pongs_arrive(self) -> None:
        async with Venue(
            market_frames(a_book([["0.6", "5"]])), market_frames(a_book([["0.7", "5"]], "2000"))
        ) as venue:
            async with aclosing(a_feed(venue).books()) as books:
                await first(books, lambda book: best_ask(book) == "0.6")
                await first(books, lambda book: best_ask(book) == "0.7")
            assert json.loads(venue.heard[0])["assets_ids"] == ["1"]
            assert "PING" in venue.heard
            assert venue.connections == 2

    async def test_a_best_price_that_is_not_ours_is_answered_with_a_fresh_book(self) -> None:
        fresh = Snapshot("1", (), ((price("0.55"), size("9")),), 1_500)

        async def read_book(_token: str) -> Snapshot:
            return fresh

        script = market_frames(a_book([["0.6", "5"]]), a_change("0.58", "3", best="0.55"))
        async with (
            Venue(script) as venue,
            aclosing(a_feed(venue, read_book=read_book).books()) as books,
        ):
            await first(books, lambda book: best_ask(book) == "0.6")
            healed = await anext(books)
        assert [str(level.price) for level in healed.asks] == ["0.55"]

    async def test_a_tick_change_is_passed_on(self) -> None:
        tick = {"event_type": "tick_size_change", "market": "0xcd"}
        ticks: list[str] = []
        async with (
            Venue(market_frames(tick, a_book([["0.6", "5"]]))) as venue,
            aclosing(a_feed(venue, ticks).books()) as books,
        ):
            await first(books, lambda book: best_ask(book) == "0.6")
        assert ticks == ["0xcd"]

    async def test_a_malformed_frame_ends_the_connection_not_the_feed(self) -> None:
        async with Venue(['{"event_type":"book"}'], market_frames(a_book([["0.7", "5"]]))) as venue:
            async with aclosing(a_feed(venue).books()) as books:
                await first(books, lambda book: best_ask(book) == "0.7")
            assert venue.connections == 2


class TestLadders:
    def test_a_level_of_size_zero_disappears(self) -> None:
        ladders = Ladders("1")
        ladders.replace(Snapshot("1", (), ((price("0.6"), size("5")),), 10))
        ladders.apply([Change("1", False, price("0.6"), size("0"), None, None)], 11)
        assert ladders.book(0).asks == ()

    def test_what_is_older_than_the_snapshot_is_ignored(self) -> None:
        ladders = Ladders("1")
        ladders.replace(Snapshot("1", (), ((price("0.6"), size("5")),), 10))
        assert not ladders.apply([Change("1", False, price("0.6"), size("0"), None, None)], 9)
        assert not ladders.replace(Snapshot("1", (), (), 9))
        assert len(ladders.book(0).asks) == 1

    def test_versions_grow_even_within_one_millisecond(self) -> None:
        ladders = Ladders("1")
        versions = []
        for _ in range(3):
            ladders.replace(Snapshot("1", (), (), 10))
            versions.append(ladders.book(0).version)
        assert versions == sorted(set(versions))


class TestUserStream:
    async def test_a_lost_answer_is_found_by_the_stream_alone(self, desk: Desk) -> None:
        order = desk.order("buy", "10", "0.52")
        await desk.find(order)  # opens the stream
        identity = desk.client.identify(order)

        async def listening() -> bool:
            sighting = await desk.client.find(order, identity, 2**62)
            return any(
                seen.source == "user stream" and seen.found is False
                for seen in sighting.observations
            )

        async with asyncio.timeout(5):
            while not await listening():  # noqa: ASYNC110  the stream tells nobody
                await asyncio.sleep(0.02)
        await desk.fault("drop_after")
        await desk.place(order)
        await desk.fault("error_before", action="read", status=500)
        await desk.fault("error_before", action="read", status=500)
        sighting = await desk.client.find(order, identity, order.created_at_ms)
        by_source = {seen.source: seen.found for seen in sighting.observations}
        assert by_source["user stream"] is True
        assert isinstance(sighting.answer, Filled)

    async def test_duplicates_and_late_states_change_nothing(self) -> None:
        def trade(status: str) -> dict[str, object]:
            return {
                "event_type": "trade",
                "id": "t-1",
                "taker_order_id": "0xab",
                "market": "0xcd",
                "asset_id": "1",
                "size": "5",
                "price": "0.5",
                "status": status,
                "match_time": "1",
            }

        script = market_frames(*(trade(s) for s in ("MATCHED", "CONFIRMED", "CONFIRMED", "MINED")))
        async with Venue(script) as venue:
            patient = replace(FAST, reconnect=timedelta(seconds=1))
            stream = UserStream(venue.url, patient)
            stream.start(ApiKey("k", "s", "p"))
            async with asyncio.timeout(5):
                while not stream.listening_since(2**62):  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            heard = stream.heard("0xab")
            assert [trade.state.value for trade in heard.trades.values()] == ["confirmed"]
            assert [trade.size for trade in heard.trades.values()] == [Decimal(5)]
            assert stream.heard("0xother").trades == {}
            await stream.close()
            assert not stream.listening_since(2**62)
        auth = json.loads(venue.heard[0])
        assert auth == {"auth": {"apiKey": "k", "secret": "s", "passphrase": "p"}, "type": "user"}

    async def test_a_stream_that_is_down_proves_no_absence(self) -> None:
        stream = UserStream("ws://127.0.0.1:9", FAST)
        stream.start(ApiKey("k", "s", "p"))
        await asyncio.sleep(0)
        assert not stream.listening_since(0)
        await stream.close()

    @pytest.mark.parametrize("matched", ["0", "4"])
    async def test_what_it_told_of_an_order_that_is_gone_is_no_sighting_of_now(
        self, desk: Desk, matched: str
    ) -> None:
        """It tells once that an order works, and nothing when a terminal one is forgotten; a match
        that it named is never forgotten."""
        order = desk.order("buy", "10", "0.52")
        identity = desk.client.identify(order)
        told: dict[str, object] = {"event_type": "order", "id": identity.key, "status": "LIVE"}
        told |= {"size_matched": matched, "associate_trades": []}

        async def talk(connection: ServerConnection) -> None:
            await connection.recv()  # the keys
            await connection.send(json.dumps(told))
            async for _ in connection:
                await connection.send("PONG")

        seen: list[Observation] = []
        async with serve(talk, "127.0.0.1", 0) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            client = PolymarketClient(replace(desk.account, ws_url=f"ws://127.0.0.1:{port}"))
            async with asyncio.timeout(10):
                while not seen or max(one.at_ms for one in seen) < seen[0].at_ms + 1_500:
                    sighting = await client.find(order, identity, order.created_at_ms)
                    seen.extend(sighting.observations)
                    assert sighting.answer is None
                    await asyncio.sleep(0.05)
            await client.close()
        rule = Quarantine(wait_ms=500, must=LISTED)
        concludes_unless_matched(seen, order.created_at_ms, rule, matched=matched != "0")


pytestmark = pytest.mark.timeout(60)
