"""A book that waited before it was read is as old as it is, not as new as its reading."""

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing, contextmanager
from datetime import timedelta
from itertools import count

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve

from domain.book import Book
from domain.money import price, size
from tests.venues.kalshi.builders import TICKER, an_instrument
from venues.kalshi.account import KalshiAccount
from venues.kalshi.feed import BookFeed
from venues.kalshi.shapes import Quotes
from venues.kalshi.signing import Signer
from venues.lateness import WINDOW_NS, Lateness
from venues.polymarket.account import Timeouts
from venues.polymarket.feed import MarketFeed
from venues.polymarket.shapes import Snapshot

MS = 1_000_000
STALL_S = 1.2
BEAT_S = 0.05
Talk = Callable[[ServerConnection], None]


def now_ms() -> int:
    return time.time_ns() // MS


@contextmanager
def venue(talk: Talk) -> Iterator[str]:
    """The address of a venue in a thread of its own: it goes on while our event loop does not."""

    def talking(connection: ServerConnection) -> None:
        try:
            connection.recv()
            talk(connection)
        except ConnectionClosed:
            return

    with serve(talking, "127.0.0.1", 0, compression=None) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}/trade-api/ws/v2"
        server.shutdown()
        thread.join()


def told_ms_ago(book: Book) -> int:
    return now_ms() - book.at_ms


def age_ms(book: Book) -> int:
    return (time.monotonic_ns() - book.received_ns) // MS


class TestPolymarket:
    @staticmethod
    def full(token: str) -> dict[str, object]:
        return {
            "event_type": "book", "asset_id": token, "market": "m", "timestamp": str(now_ms()),
            "bids": [{"price": "0.40", "size": "10"}], "asks": [{"price": "0.42", "size": "10"}],
        }  # fmt: skip

    @staticmethod
    def change(token: str, at: str, best_ask: str) -> str:
        row = {
            "asset_id": token, "price": at, "size": "7", "side": "SELL",
            "best_bid": "0.40", "best_ask": best_ask,
        }  # fmt: skip
        moment = str(now_ms())
        return json.dumps(
            {"event_type": "price_change", "timestamp": moment, "price_changes": [row]}
        )

    def feed(self, url: str, read_book: Callable[[str], object]) -> MarketFeed:
        patient = Timeouts(reconnect=timedelta(milliseconds=50))
        return MarketFeed(url, ["1", "2"], patient, read_book, lambda _market: None)  # type: ignore[arg-type]

    async def test_a_slow_answer_of_rest_holds_no_frame_up(self) -> None:
        def talk(connection: ServerConnection) -> None:
            connection.send(json.dumps([self.full("1"), self.full("2")]))
            time.sleep(BEAT_S)
            connection.send(self.change("1", "0.45", "0.43"))  # not what we hold: REST is asked
            time.sleep(BEAT_S)
            connection.send(self.change("2", "0.41", "0.41"))
            time.sleep(3)

        async def slow(token: str) -> Snapshot:
            read_ms = now_ms()
            await asyncio.sleep(1.5)
            levels = ((price("0.43"), size(10)),)
            return Snapshot(token, ((price("0.40"), size(10)),), levels, read_ms)

        with venue(talk) as url:
            async with asyncio.timeout(10), aclosing(self.feed(url, slow).books()) as books:
                both = [await anext(books), await anext(books)]
                assert {book.token for book in both} == {"1", "2"}
                beside = await anext(books)
                assert (beside.token, str(beside.asks[0].price)) == ("2", "0.41")
                assert told_ms_ago(beside) < 1_400, "REST had not answered yet"
                healed = await anext(books)
        assert (healed.token, str(healed.asks[0].price)) == ("1", "0.43")
        assert age_ms(healed) >= 1_400, "what REST said is as old as the question"

    async def test_what_came_while_rest_was_asked_is_not_lost(self) -> None:
        def talk(connection: ServerConnection) -> None:
            connection.send(json.dumps([self.full("1")]))
            time.sleep(BEAT_S)
            connection.send(self.change("1", "0.45", "0.43"))
            time.sleep(4 * BEAT_S)
            connection.send(self.change("1", "0.41", "0.41"))
            time.sleep(3)

        async def slow(token: str) -> Snapshot:
            read_ms = now_ms()
            await asyncio.sleep(0.5)
            levels = ((price("0.43"), size(10)),)
            return Snapshot(token, ((price("0.40"), size(10)),), levels, read_ms)

        with venue(talk) as url:
            async with asyncio.timeout(10), aclosing(self.feed(url, slow).books()) as books:
                await anext(books)
                healed = await anext(books)
        assert [str(level.price) for level in healed.asks] == ["0.41", "0.43"]

    async def test_a_doubted_book_is_asked_for_until_rest_knows_it(self) -> None:
        def talk(connection: ServerConnection) -> None:
            connection.send(json.dumps([self.full("1")]))
            time.sleep(BEAT_S)
            connection.send(self.change("1", "0.45", "0.43"))
            time.sleep(3)

        asked = count()

        async def trailing(token: str) -> Snapshot:
            """The first answer is from before the doubt."""
            read_ms = 1 if next(asked) == 0 else now_ms()
            return Snapshot(token, (), ((price("0.43"), size(10)),), read_ms)

        with venue(talk) as url:
            async with asyncio.timeout(10), aclosing(self.feed(url, trailing).books()) as books:
                await anext(books)
                healed = await anext(books)
        assert str(healed.asks[0].price) == "0.43"
        assert next(asked) == 2

    async def test_what_waited_while_we_stood_still_is_not_new(self) -> None:
        def talk(connection: ServerConnection) -> None:
            connection.send(json.dumps([self.full("1")]))
            for _ in range(80):
                time.sleep(BEAT_S)
                connection.send(self.change("1", "0.41", "0.41"))

        async def no_rest(_token: str) -> Snapshot:
            raise AssertionError("nothing is in doubt")

        with venue(talk) as url:
            async with asyncio.timeout(10), aclosing(self.feed(url, no_rest).books()) as books:
                await stand_still(books)


class TestKalshi:
    async def test_what_waited_while_we_stood_still_is_not_new(self) -> None:
        def talk(connection: ServerConnection) -> None:
            def say(kind: str, seq: int, **message: object) -> None:
                connection.send(json.dumps({"type": kind, "sid": 1, "seq": seq, "msg": message}))

            opened = {"channel": "orderbook_delta", "sid": 1}
            connection.send(json.dumps({"type": "subscribed", "id": 1, "msg": opened}))
            levels = [["0.4000", "10.00"]]
            say("orderbook_snapshot", 1, market_ticker=TICKER, yes_dollars_fp=levels)
            for seq in range(2, 82):
                time.sleep(BEAT_S)
                say(
                    "orderbook_delta", seq, market_ticker=TICKER, side="yes",
                    price_dollars="0.4000", delta_fp="1.00", ts_ms=now_ms(),
                )  # fmt: skip

        async def no_poll(_tickers: tuple[str, ...]) -> dict[str, Quotes]:
            raise AssertionError("the socket stands")

        key = Ed25519PrivateKey.generate()
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        with venue(talk) as url:
            account = KalshiAccount("key", pem, ws_url=url)
            feed = BookFeed(account, Signer("key", pem), no_poll, count(1))
            async with (
                asyncio.timeout(10),
                aclosing(feed.books((an_instrument(),))) as books,
            ):
                await stand_still(books)


async def stand_still(books: AsyncIterator[Book]) -> None:
    """Follow the books, block the event loop, and look at what had waited meanwhile."""
    for _ in range(6):
        read_as_new(await anext(books))
    time.sleep(STALL_S)  # noqa: ASYNC251  the point: nothing of ours runs
    waited = 0
    while True:
        book = await anext(books)
        told = told_ms_ago(book)
        if told < BEAT_S * 1_000:
            break
        waited += 1
        assert age_ms(book) >= told - 100, f"told {told} ms ago, and counted as {age_ms(book)} ms"
    assert waited > 0
    for _ in range(3):
        read_as_new(await anext(books))


def read_as_new(book: Book) -> None:
    """It counts as no older than it is."""
    assert age_ms(book) < told_ms_ago(book) + 400


class TestLateness:
    def test_the_quickest_message_is_the_measure(self) -> None:
        lateness = Lateness()
        assert lateness.true_ns(1_000, 5_030 * MS) == 5_030 * MS
        assert lateness.true_ns(1_100, 5_110 * MS) == 5_110 * MS
        assert lateness.true_ns(1_200, 5_910 * MS) == 5_210 * MS
        assert lateness.true_ns(1_300, 5_330 * MS) == 5_310 * MS

    def test_a_measure_is_forgotten_after_two_windows(self) -> None:
        lateness, window = Lateness(), WINDOW_NS // MS + 1
        lateness.true_ns(0, 0)
        for windows, late in ((1, 500), (2, 0)):
            at_ms = windows * window
            read_ns = (at_ms + 500) * MS
            assert lateness.true_ns(at_ms, read_ns) == read_ns - late * MS

    def test_a_pause_forgets_nothing_that_counted_before_it(self) -> None:
        lateness = Lateness()
        lateness.true_ns(0, 20 * MS)
        read_ns = (10 * WINDOW_NS // MS + 900) * MS
        assert lateness.true_ns(10 * WINDOW_NS // MS, read_ns) == read_ns - 880 * MS


pytestmark = pytest.mark.timeout(60)
