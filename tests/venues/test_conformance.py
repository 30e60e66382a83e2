"""The deck every adapter must pass at its simulated venue, over real HTTP: one case, one rule."""

import asyncio
import socket
from collections.abc import AsyncGenerator
from datetime import datetime
from decimal import Decimal

import pytest

from domain.book import Level
from domain.order import Filled, FillState, NotFilled, Order, Rejection, Unknown
from domain.venue import Outcome, TimeInForce, Venue
from tests.venues.lab import Lab, leave, total, until
from tests.venues.raw import raw_server, saying
from venues.port import Untradable, VenueUnreachable


async def test_x01_a_fill_is_the_exact_cash_that_left(lab: Lab) -> None:
    before = await lab.cash()
    answer = await lab.place(lab.order("buy", "10", "0.52"))
    assert isinstance(answer, Filled), answer
    size, notional, fee = total(answer.fills)
    assert size == 10
    assert notional == Decimal("5.2")
    assert before - await lab.cash() == notional + fee


async def test_x02_a_fill_or_kill_beyond_the_depth_is_killed(lab: Lab) -> None:
    order = lab.order("buy", "150", "0.52")
    answer = await lab.place(order)
    assert isinstance(answer, NotFilled), answer
    assert answer.rejection is Rejection.KILLED
    assert not any(one["fills"] for one in await lab.matched(order))


async def test_x03_more_than_the_account_holds_is_refused(lab: Lab) -> None:
    await lab.quote([], [["0.52", "1000000"]])
    answer = await lab.place(lab.order("buy", "100000", "0.52"))
    assert isinstance(answer, NotFilled), answer
    assert answer.rejection is Rejection.INSUFFICIENT_BALANCE


@pytest.mark.parametrize(
    ("do", "params"),
    [("drop_after", {}), ("hang", {"ms": 5_000}), ("error_after", {"status": 500})],
    ids=["dropped", "hung", "500"],
)
async def test_x04_an_answer_lost_after_acceptance_is_unknown_and_then_found(
    lab: Lab, do: str, params: dict[str, object]
) -> None:
    await lab.fault(do, "buy", **params)
    order = lab.order("buy", "10", "0.52")
    answer = await lab.place(order)
    assert isinstance(answer, Unknown), answer
    found = await lab.resolved(order)
    assert isinstance(found, Filled), found
    assert total(found.fills)[0] == 10
    assert len(await lab.matched(order)) == 1


async def test_x05_an_order_that_never_arrived_is_missed_by_two_sources(lab: Lab) -> None:
    await lab.fault("drop_before", "buy")
    order = lab.order("buy", "10", "0.52")
    assert isinstance(await lab.place(order), Unknown)
    identity = lab.client.identify(order)
    sighting = await lab.client.find(order, identity, order.created_at_ms)
    assert sighting.answer is None, sighting
    missing = [seen for seen in sighting.observations if seen.found is False]
    assert len({seen.source for seen in missing}) >= 2


async def test_x06_a_second_send_of_the_same_order_places_nothing(lab: Lab) -> None:
    order = lab.order("buy", "10", "0.52")
    first = await lab.place(order)
    assert isinstance(first, Filled), first
    assert isinstance(await lab.place(order), Unknown)
    found = await lab.resolved(order)
    assert isinstance(found, Filled), found
    trades = [{fill.trade_id for fill in answer.fills} for answer in (first, found)]
    assert trades[0] == trades[1]
    assert len(await lab.matched(order)) == 1


async def test_x07_a_rate_limit_is_a_proven_refusal(lab: Lab) -> None:
    await lab.fault("rate_limited", "buy")
    answer = await lab.place(lab.order("buy", "10", "0.52"))
    assert isinstance(answer, NotFilled), answer
    assert answer.rejection is Rejection.RATE_LIMITED


async def test_x08_an_order_filled_in_part_tells_that_part(lab: Lab) -> None:
    await lab.fault("partial", "buy", size="4")
    tif = TimeInForce.IOC if lab.venue is Venue.KALSHI else TimeInForce.FOK
    order = lab.order("buy", "10", "0.52", tif=tif)
    answer = await lab.place(order)
    if isinstance(answer, Unknown):
        answer = await lab.resolved(order)
    assert isinstance(answer, Filled), answer
    assert total(answer.fills)[0] == 4


async def test_x09_what_was_bought_can_be_sold_again(lab: Lab) -> None:
    bought = await lab.place(lab.order("buy", "10", "0.52"))
    assert isinstance(bought, Filled), bought
    await until(lambda: sellable(lab))
    before = await lab.cash()
    sale = lab.order("sell", "10", "0.50", intent="arb-1/leg/unwind/1")
    sold = await lab.place(sale)
    assert isinstance(sold, Filled), sold
    size, notional, fee = total(sold.fills)
    assert size == 10
    assert notional == 5
    assert await lab.cash() - before == notional - fee


async def sellable(lab: Lab) -> bool | None:
    """True as soon as the venue would let ten contracts go."""
    return True if await lab.client.sellable(lab.instrument) >= 10 else None


async def test_x10_a_venue_that_cannot_be_reached_never_got_the_order(lab: Lab) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        client = lab.elsewhere(f"http://127.0.0.1:{unused.getsockname()[1]}/trade-api/v2")
        order = lab.order("buy", "10", "0.52")
        marked = False

        async def first_byte() -> NotFilled | None:
            nonlocal marked
            marked = True
            return None

        answer = await client.place(order, client.identify(order), first_byte)
        await client.close()
    assert isinstance(answer, NotFilled), answer
    assert answer.rejection is Rejection.NOT_SENT
    assert not marked, "the last check belongs to the first byte, and there was none"


async def test_x11_the_last_check_stops_an_order_past_its_deadline(lab: Lab) -> None:
    too_late = NotFilled(Rejection.TOO_LATE, "its deadline has passed")

    async def first_byte() -> NotFilled | None:
        return too_late

    order = lab.order("buy", "10", "0.52")
    assert await lab.place(order, first_byte) == too_late
    ledger = await lab.ledger()
    assert not ledger["orders"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>welcome</html>",
        b'{"order_id": NaN}',
        b'{"fill_count": "10.00", "remaining_count": "0.00", "success": true}',
        b"[" * 5000,
    ],
    ids=["empty", "page", "nan", "no order id", "deep"],
)
@pytest.mark.parametrize("status", [200, 201])
async def test_x12_an_answer_that_proves_nothing_is_unknown(
    lab: Lab, body: bytes, status: int
) -> None:
    order = lab.order("buy", "10", "0.52")
    async with raw_server(saying(body, status)) as url:
        client = lab.elsewhere(url)
        answer = await client.place(order, client.identify(order), leave)
        await client.close()
    assert isinstance(answer, Unknown), answer


async def test_x13_a_venue_in_maintenance_refuses_and_says_so(lab: Lab) -> None:
    await lab.post("/venue", venue=lab.venue.value, mode="maintenance")
    answer = await lab.place(lab.order("buy", "10", "0.52"))
    assert isinstance(answer, NotFilled), answer
    assert answer.rejection is Rejection.VENUE_CLOSED
    assert not (await lab.client.status()).accepts_orders


async def test_x14_a_send_cancelled_after_its_first_byte_is_found_later(lab: Lab) -> None:
    await lab.fault("hang", "buy", ms=5_000)
    order = lab.order("buy", "10", "0.52")
    left = asyncio.Event()

    async def first_byte() -> NotFilled | None:
        left.set()
        return None

    sending = asyncio.create_task(lab.place(order, first_byte))
    await left.wait()
    await until(lambda: reached(lab, order))
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    found = await lab.resolved(order)
    assert isinstance(found, Filled), found


async def reached(lab: Lab, order: Order) -> bool | None:
    """True once the venue has the order."""
    return True if await lab.matched(order) else None


async def test_x15_cash_book_positions_and_status_are_the_venues_own(lab: Lab) -> None:
    assert await lab.client.cash() == await lab.cash()
    book = await lab.client.book(lab.instrument)
    assert shown(book.asks) == "0.52 x 100"
    assert shown(book.bids) == "0.5 x 100, 0.49 x 100"
    answer = await lab.place(lab.order("buy", "10", "0.52"))
    assert isinstance(answer, Filled), answer
    held = await until(lambda: positions(lab))
    assert held == {(lab.market, Outcome.YES): Decimal(10)}
    assert (await lab.client.status()).accepts_orders


def shown(levels: tuple[Level, ...]) -> str:
    """A ladder as text."""
    return ", ".join(f"{level.price.normalize()} x {int(level.size)}" for level in levels)


async def positions(lab: Lab) -> dict[tuple[str, Outcome], Decimal] | None:
    """What is held, as soon as anything is."""
    return {key: Decimal(size) for key, size in (await lab.client.positions()).items()} or None


async def test_x16_books_follow_the_venue(lab: Lab) -> None:
    books = lab.client.books((lab.instrument,))
    async with asyncio.timeout(10):
        first = await anext(books)
        assert first.asks[0].price == Decimal("0.52")
        await lab.quote([["0.50", "100"]], [["0.55", "30"]])
        book = await anext(books)
        while [level.price for level in book.asks] != [Decimal("0.55")]:
            assert book.token == lab.instrument.token
            book = await anext(books)
    assert isinstance(books, AsyncGenerator)
    await books.aclose()
    assert book.version > first.version
    assert book.received_ns > first.received_ns


async def test_x17_a_market_that_is_not_listed_is_untradable(lab: Lab) -> None:
    unknown = "KXNONE-1" if lab.venue is Venue.KALSHI else "0x" + "00" * 32
    assert isinstance(await lab.client.instrument(unknown, Outcome.YES), Untradable)


async def test_x18_a_failed_read_is_unreachable_and_no_miss(lab: Lab) -> None:
    order = lab.order("buy", "10", "0.52")
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        client = lab.elsewhere(f"http://127.0.0.1:{unused.getsockname()[1]}")
        sighting = await client.find(order, client.identify(order), order.created_at_ms)
        with pytest.raises(VenueUnreachable):
            await client.book(lab.instrument)
        await client.close()
    assert sighting.answer is None
    assert all(seen.found is None for seen in sighting.observations), sighting


async def test_x19_fills_become_final(lab: Lab) -> None:
    order = lab.order("buy", "10", "0.52")
    answer = await lab.place(order)
    assert isinstance(answer, Filled), answer

    async def final() -> bool | None:
        fills = await lab.client.refresh(order, answer.fills)
        return True if all(fill.state is FillState.CONFIRMED for fill in fills) else None

    assert await until(final)


async def test_x20_a_market_says_what_it_asks_and_when_it_ends(lab: Lab) -> None:
    """The words and times are the payload's own, read with nothing of ours."""
    found = await lab.client.terms(lab.market)
    assert found is not None
    assert (found.venue, found.market) == (lab.venue, lab.market)
    raw = await lab.listing()
    if lab.venue is Venue.KALSHI:
        market, event = raw["market"], raw["event"]
        rules = f"{market['rules_primary']}\n\n{market['rules_secondary']}"
        asked, category, closes = event["title"], event["category"], market["close_time"]
        settles = market["expected_expiration_time"]
    else:
        rules, asked, category = raw["description"], raw["question"], ""
        closes, settles = raw["endDate"], None
    assert found.rules == rules
    assert found.title.startswith(asked)
    assert found.category == category
    assert found.closes_at_ms == _ms(closes)
    assert found.settles_at_ms == _ms(settles)
    assert found.url.startswith("https://")
    elsewhere = "0x" + "00" * 32 if lab.venue is Venue.POLYMARKET else "NOSUCH-26NOV27"
    assert await lab.client.terms(elsewhere) is None


def _ms(iso: str | None) -> int | None:
    return None if iso is None else round(datetime.fromisoformat(iso).timestamp() * 1000)
