"""The adapter against the simulated venue: every answer, every look-up, settlement."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from domain.money import usd
from domain.order import Fill, Filled, FillState, NotFilled, Order, Rejection, Unknown
from domain.venue import Instrument, Outcome, Venue
from tests.venues.polymarket.conftest import Desk, leave
from venues.polymarket.account import ApiKey
from venues.polymarket.client import PolymarketClient
from venues.port import Untradable, VenueMisuse, VenuePort, VenueUnreachable


async def until(check: Callable[[], Awaitable[bool]]) -> None:
    """Wait for a condition, at most ten seconds."""
    async with asyncio.timeout(10):
        while not await check():  # noqa: ASYNC110  the venue's ledger tells nobody
            await asyncio.sleep(0.02)


def total(fills: tuple[Fill, ...]) -> tuple[Decimal, Decimal, Decimal]:
    """(size, notional, fee) of some fills."""
    return (
        sum((fill.size for fill in fills), Decimal(0)),
        sum((fill.notional for fill in fills), Decimal(0)),
        sum((fill.fee for fill in fills), Decimal(0)),
    )


async def settled(desk: Desk, order_fills: tuple[Fill, ...], order: Order) -> tuple[Fill, ...]:
    found = order_fills

    async def final() -> bool:
        nonlocal found
        found = await desk.client.refresh(order, found)
        return all(fill.state.final for fill in found)

    await until(final)
    return found


class TestPlacing:
    async def test_a_buy_spends_its_dollars_and_gets_more_at_a_better_price(
        self, desk: Desk
    ) -> None:
        order = desk.order("buy", "10", "0.55")
        answer = await desk.place(order)
        assert isinstance(answer, Filled)
        assert answer.order_id == desk.client.identify(order).key
        size, notional, fee = total(answer.fills)
        assert notional == Decimal("5.5")
        assert size == Decimal("10.576923")
        ledger = await desk.ledger()
        assert Decimal(ledger["cash"]) == 10_000 - notional - fee

    async def test_several_levels_become_several_exact_fills(self, desk: Desk) -> None:
        await desk.quote([], [["0.50", "3"], ["0.51", "3.33"], ["0.53", "100"]])
        fills = await desk.filled(desk.order("buy", "10", "0.54"))
        assert len(fills) == 3
        judged = {trade["trade_id"]: trade for trade in (await desk.ledger())["trades"]}
        for fill in fills:
            trade = judged[fill.trade_id]
            assert (fill.size, fill.notional, fill.fee) == tuple(
                Decimal(trade[name]) for name in ("size", "dollars", "fee")
            )

    async def test_a_fill_or_kill_that_finds_too_little_is_killed(self, desk: Desk) -> None:
        answer = await desk.place(desk.order("buy", "150", "0.52"))
        assert isinstance(answer, NotFilled)
        assert answer.rejection is Rejection.KILLED

    async def test_an_order_that_the_venue_must_refuse_never_leaves(self, desk: Desk) -> None:
        answer = await desk.place(desk.order("buy", "10", "0.525"))
        assert isinstance(answer, NotFilled)
        assert answer.rejection is Rejection.INVALID_ORDER
        assert (await desk.ledger())["orders"] == []

    async def test_a_late_order_never_leaves(self, desk: Desk) -> None:
        order = replace(desk.order("buy", "10", "0.52"), not_after_ms=1)
        answer = await desk.place(order)
        assert isinstance(answer, NotFilled)
        assert answer.rejection is Rejection.TOO_LATE
        assert (await desk.ledger())["orders"] == []

    async def test_the_last_gate_stops_the_first_byte(self, desk: Desk) -> None:
        fenced = NotFilled(Rejection.FENCED, "disabled meanwhile")

        async def stop() -> NotFilled | None:
            return fenced

        order = desk.order("buy", "10", "0.52")
        answer = await desk.client.place(order, desk.client.identify(order), stop)
        assert answer == fenced
        assert (await desk.ledger())["orders"] == []

    async def test_a_venue_that_cannot_be_reached_was_sent_nothing(self, desk: Desk) -> None:
        nowhere = replace(desk.account, clob_url="http://127.0.0.1:9")
        client = PolymarketClient(nowhere)
        order = desk.order("buy", "10", "0.52")
        answer = await client.place(order, client.identify(order), leave)
        assert isinstance(answer, NotFilled)
        assert answer.rejection is Rejection.NOT_SENT
        with pytest.raises(VenueUnreachable):
            await client.cash()
        await client.close()

    @pytest.mark.parametrize(
        ("fault", "rejection"),
        [
            ("kill", Rejection.KILLED),
            ("refuse", Rejection.MARKET_CLOSED),
            ("rate_limited", Rejection.RATE_LIMITED),
        ],
    )
    async def test_a_listed_refusal_proves_that_nothing_filled(
        self, desk: Desk, fault: str, rejection: Rejection
    ) -> None:
        await desk.fault(fault)
        answer = await desk.place(desk.order("buy", "10", "0.52"))
        assert isinstance(answer, NotFilled)
        assert answer.rejection is rejection

    @pytest.mark.parametrize(
        ("fault", "params"),
        [
            ("hang", {"ms": 3_000}),
            ("error_after", {"status": 500}),
            ("error_after", {"status": 502}),
            ("drop_after", {}),
            ("duplicate", {}),
        ],
    )
    async def test_an_answer_lost_after_acceptance_is_unknown_and_then_found(
        self, desk: Desk, fault: str, params: dict[str, Any]
    ) -> None:
        await desk.fault(fault, **params)
        order = desk.order("buy", "10", "0.55")
        assert isinstance(await desk.place(order), Unknown)
        found = await desk.find(order)
        assert isinstance(found, Filled)
        size, notional, fee = total(found.fills)
        assert (size, notional) == (Decimal("10.576923"), Decimal("5.5"))
        assert Decimal((await desk.ledger())["cash"]) == 10_000 - notional - fee

    @pytest.mark.parametrize("fault", ["drop_before", "error_before"])
    async def test_an_order_that_never_arrived_is_unknown_and_missed_not_refused(
        self, desk: Desk, fault: str
    ) -> None:
        await desk.fault(fault)
        order = desk.order("buy", "10", "0.52")
        assert isinstance(await desk.place(order), Unknown)
        sighting = await desk.client.find(order, desk.client.identify(order), order.created_at_ms)
        assert sighting.answer is None
        sources = {seen.source: seen.found for seen in sighting.observations}
        assert sources["order by hash"] is False
        assert sources["trades"] is False

    async def test_sending_the_same_order_again_buys_nothing_twice(self, desk: Desk) -> None:
        order = desk.order("buy", "10", "0.52")
        first = await desk.filled(order)
        again = await desk.place(order)
        assert isinstance(again, Unknown)
        assert "Duplicated" in again.evidence
        found = await desk.find(order)
        assert isinstance(found, Filled)
        assert {fill.trade_id for fill in found.fills} == {fill.trade_id for fill in first}
        assert len((await desk.ledger())["trades"]) == 1

    async def test_trades_that_are_not_visible_yet_leave_the_order_unknown(
        self, desk: Desk
    ) -> None:
        await desk.quote([], [["0.50", "5"], ["0.52", "100"]])
        await desk.fault("delay_fills", ms=600)
        order = desk.order("buy", "10", "0.52")
        answer = await desk.place(order)
        assert isinstance(answer, Unknown)
        assert "not all visible" in answer.evidence

        async def found() -> bool:
            return isinstance(await desk.find(order), Filled)

        await until(found)

    async def test_a_failed_read_is_no_miss(self, desk: Desk) -> None:
        order = desk.order("buy", "10", "0.52")
        await desk.filled(order)
        await desk.fault("error_before", action="read", status=500)
        await desk.fault("error_before", action="read", status=500)
        sighting = await desk.client.find(order, desk.client.identify(order), order.created_at_ms)
        failed = [seen for seen in sighting.observations if seen.found is None]
        assert failed
        assert all("500" in seen.detail or "not connected" in seen.detail for seen in failed)

    async def test_a_sell_moves_exactly_its_shares(self, desk: Desk) -> None:
        bought = desk.order("buy", "10", "0.52")
        await settled(desk, await desk.filled(bought), bought)
        await desk.client.sellable(desk.instrument)
        sold = await desk.filled(desk.order("sell", "4.35", "0.49", "i/2"))
        assert total(sold)[:2] == (Decimal("4.35"), Decimal("2.175"))


class TestSettlement:
    async def test_a_fill_is_provisional_until_the_chain_confirms_it(self, desk: Desk) -> None:
        order = desk.order("buy", "10", "0.52")
        fills = await desk.filled(order)
        assert {fill.state for fill in fills} == {FillState.PROVISIONAL}
        final = await settled(desk, fills, order)
        assert {fill.state for fill in final} == {FillState.CONFIRMED}
        assert [replace(fill, state=FillState.PROVISIONAL) for fill in final] == list(fills)

    async def test_nobody_is_asked_once_the_stream_has_told_it_all(self, desk: Desk) -> None:
        order = desk.order("buy", "10", "0.52")
        fills = await desk.filled(order)
        await desk.fault("error_before", "read", times=0)
        final: tuple[Fill, ...] = ()

        async def told() -> bool:
            nonlocal final
            with suppress(VenueUnreachable):
                final = await desk.client.refresh(order, fills)
            return bool(final)

        await until(told)
        assert {fill.state for fill in final} == {FillState.CONFIRMED}
        assert total(final) == total(fills)

    async def test_a_ghost_fill_is_voided(self, desk: Desk) -> None:
        await desk.fault("ghost", ms=100)
        order = desk.order("buy", "10", "0.52")
        final = await settled(desk, await desk.filled(order), order)
        assert {fill.state for fill in final} == {FillState.VOIDED}
        assert await desk.client.cash() == 10_000

    async def test_refresh_adds_the_fills_that_nobody_knew(self, desk: Desk) -> None:
        await desk.quote([], [["0.50", "5"], ["0.52", "100"]])
        order = desk.order("buy", "10", "0.52")
        fills = await desk.filled(order)
        assert len(fills) == 2
        seen = await desk.client.refresh(order, fills[:1])
        assert {fill.trade_id for fill in seen} == {fill.trade_id for fill in fills}
        assert total(seen) == total(fills)

    async def test_a_sell_before_settlement_is_refused_and_accepted_after_it(
        self, desk: Desk
    ) -> None:
        bought = desk.order("buy", "10", "0.52")
        fills = await desk.filled(bought)
        assert await desk.client.sellable(desk.instrument) == 0
        early = await desk.place(desk.order("sell", "10", "0.49", "i/2"))
        assert isinstance(early, NotFilled)
        assert early.rejection is Rejection.INSUFFICIENT_BALANCE
        await settled(desk, fills, bought)
        assert await desk.client.sellable(desk.instrument) == 10
        assert isinstance(await desk.place(desk.order("sell", "10", "0.49", "i/3")), Filled)


class TestReading:
    async def test_the_client_is_a_venue_port(self, desk: Desk) -> None:
        port: VenuePort = desk.client
        assert port.venue is Venue.POLYMARKET

    async def test_cash_and_positions_are_the_ledgers(self, desk: Desk) -> None:
        order = desk.order("buy", "10", "0.52")
        await settled(desk, await desk.filled(order), order)
        assert await desk.client.cash() == Decimal((await desk.ledger())["cash"])
        assert await desk.client.positions() == {(desk.condition, Outcome.YES): Decimal(10)}

    async def test_both_outcomes_show_one_mirrored_book(self, desk: Desk) -> None:
        no = await desk.client.instrument(desk.condition, Outcome.NO)
        assert isinstance(no, Instrument)
        yes_book, no_book = await desk.client.book(desk.instrument), await desk.client.book(no)
        assert [str(level.price) for level in yes_book.bids] == ["0.5", "0.49"]
        assert [str(level.price) for level in no_book.asks] == ["0.5", "0.51"]
        assert not yes_book.crossed

    async def test_an_unknown_market_is_untradable_for_a_named_reason(self, desk: Desk) -> None:
        found = await desk.client.instrument("0x" + "00" * 32, Outcome.YES)
        assert isinstance(found, Untradable)
        assert found.reason == "market_unknown"

    async def test_a_resolved_market_pays_and_names_the_cash_it_credited(self, desk: Desk) -> None:
        order = desk.order("buy", "10", "0.52")
        await settled(desk, await desk.filled(order), order)
        assert await desk.client.resolution(desk.instrument) is None
        await desk.post("/resolve", pair=desk.pair["id"], polymarket="yes")
        verdict = await desk.client.resolution(desk.instrument)
        assert verdict is not None
        assert (verdict.pays, verdict.credited) == (Decimal(1), usd(10))
        no = replace(desk.instrument, token=desk.pair["polymarket"]["token_no"], outcome=Outcome.NO)
        lost = await desk.client.resolution(no)
        assert lost is not None
        assert (lost.pays, lost.credited) == (Decimal(0), usd(0))

    async def test_a_resolved_market_is_not_traded(
        self, desk: Desk, stranger: PolymarketClient
    ) -> None:
        await desk.post("/resolve", pair=desk.pair["id"], polymarket="half")
        found = await stranger.instrument(desk.condition, Outcome.YES)
        assert isinstance(found, Untradable)
        assert found.reason == "market_closed"
        verdict = await stranger.resolution(desk.instrument)
        assert verdict is not None
        assert verdict.pays == Decimal("0.5")

    async def test_the_api_key_is_derived_where_none_is_given(
        self, desk: Desk, stranger: PolymarketClient
    ) -> None:
        assert await stranger.cash() == await desk.client.cash()

    async def test_a_wrong_api_key_is_misuse_on_reads_and_a_refusal_on_orders(
        self, desk: Desk
    ) -> None:
        key = ApiKey("nobody", "AAAA", "x")
        client = PolymarketClient(replace(desk.account, api_key=key))
        with pytest.raises(VenueMisuse, match="401"):
            await client.cash()
        order = desk.order("buy", "10", "0.52")
        answer = await client.place(order, client.identify(order), leave)
        assert isinstance(answer, NotFilled)
        assert answer.rejection is Rejection.UNAUTHORISED
        await client.close()

    async def test_a_venue_that_refused_for_maintenance_counts_as_closed(self, desk: Desk) -> None:
        assert (await desk.client.status()).accepts_orders
        await desk.post("/venue", venue="polymarket", mode="post_only")
        answer = await desk.place(desk.order("buy", "10", "0.52"))
        assert isinstance(answer, NotFilled)
        assert answer.rejection is Rejection.VENUE_CLOSED
        status = await desk.client.status()
        assert not status.accepts_orders
        assert "post-only" in status.detail
