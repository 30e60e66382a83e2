"""What only Kalshi has: netting sides, late reads, killed ids, shards, settlement, its clock."""

import asyncio
import itertools
import time
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from domain.evidence import Quarantine, conclude_absent
from domain.order import Answer, Filled, NotFilled, Order, Rejection, Unknown
from domain.venue import Instrument, Outcome, TimeInForce
from tests.venues.lab import Lab, leave, total, until
from venues.kalshi.account import KalshiAccount
from venues.kalshi.client import KalshiClient
from venues.kalshi.lookup import SKEW_MARGIN_MS
from venues.port import VenueMisuse

ROWS_SECONDS = 1.5
"""In which an order that was accepted is answered, whatever is silent beside."""


def client_of(kalshi: Lab) -> KalshiClient:
    assert isinstance(kalshi.client, KalshiClient)
    return kalshi.client


async def knobs(kalshi: Lab, **turned: object) -> None:
    await kalshi.post("/knobs", venue="kalshi", knobs=turned)


async def no_instrument(kalshi: Lab) -> Instrument:
    found = await kalshi.client.instrument(kalshi.market, Outcome.NO)
    assert isinstance(found, Instrument)
    return found


async def filled(kalshi: Lab, order: Order) -> Filled:
    answer = await kalshi.place(order)
    assert isinstance(answer, Filled), answer
    return answer


class TestSides:
    async def test_buying_no_costs_the_rest_of_the_dollar(self, kalshi: Lab) -> None:
        before = await kalshi.cash()
        no = await no_instrument(kalshi)
        book = await kalshi.client.book(no)
        assert book.asks[0].price == Decimal("0.50")
        assert book.bids[0].price == Decimal("0.48")
        answer = await filled(kalshi, kalshi.order("buy", "10", "0.50", instrument=no))
        size, notional, fee = total(answer.fills)
        assert size == 10
        assert notional == 5
        assert before - await kalshi.cash() == notional + fee
        assert await kalshi.client.sellable(no) == 10
        assert await kalshi.client.sellable(kalshi.instrument) == 0

    async def test_a_fill_over_several_levels_adds_up_to_the_cash(self, kalshi: Lab) -> None:
        levels = [["0.51", "3.3"], ["0.52", "0.01"], ["0.53", "50"]]
        await kalshi.quote([], levels)
        before = await kalshi.cash()
        answer = await filled(kalshi, kalshi.order("buy", "10", "0.53"))
        size, notional, fee = total(answer.fills)
        assert size == 10
        assert notional == Decimal("3.3") * Decimal("0.51") + Decimal("0.0052") + Decimal(
            "6.69"
        ) * Decimal("0.53")
        assert before - await kalshi.cash() == notional + fee
        assert len({fill.trade_id for fill in answer.fills}) == 3

    async def test_reduce_only_never_flips_a_position(self, kalshi: Lab) -> None:
        await filled(kalshi, kalshi.order("buy", "10", "0.52"))
        sale = kalshi.order(
            "sell", "25", "0.50", tif=TimeInForce.IOC, reduce_only=True, intent="unwind/1"
        )
        answer = await filled(kalshi, sale)
        assert total(answer.fills)[0] == 10
        assert await kalshi.client.positions() == {}

    async def test_an_ioc_that_crosses_nothing_is_killed(self, kalshi: Lab) -> None:
        answer = await kalshi.place(kalshi.order("buy", "10", "0.40", tif=TimeInForce.IOC))
        assert isinstance(answer, NotFilled)
        assert answer.rejection is Rejection.KILLED
        assert answer.order_id


class TestRowsTrail:
    async def test_fills_from_the_accounts_stream_do_not_wait_for_the_reads(
        self, kalshi: Lab
    ) -> None:
        await kalshi_listens(kalshi)
        await knobs(kalshi, read_lag_ms=60_000)
        before = await kalshi.cash()
        answer = await filled(kalshi, kalshi.order("buy", "10", "0.52"))
        assert before - await kalshi.cash() == sum(total(answer.fills)[1:], Decimal(0))

    async def test_without_rows_the_answer_is_unknown_until_they_add_up(self, kalshi: Lab) -> None:
        await knobs(kalshi, read_lag_ms=4_000, ws_silent=True)
        order = kalshi.order("buy", "10", "0.52")
        answer = await kalshi.place(order)
        assert isinstance(answer, Unknown), answer
        assert "filled 10" in answer.evidence
        found = await kalshi.resolved(order)
        assert isinstance(found, Filled)
        assert total(found.fills)[0] == 10

    @pytest.mark.parametrize("told", [False, True], ids=["silent", "told"])
    async def test_an_accepted_order_is_answered_in_time_though_no_read_is(
        self, kalshi: Lab, *, told: bool
    ) -> None:
        """Whoever waits for the answer may have been asked to stop."""
        if told:
            await kalshi_listens(kalshi)
        await knobs(kalshi, ws_silent=not told)
        await kalshi.silence("read", 60_000)
        began = time.monotonic()
        answer = await kalshi.place(kalshi.order("buy", "10", "0.52"))
        assert time.monotonic() - began < ROWS_SECONDS
        assert isinstance(answer, Filled if told else Unknown), answer
        if isinstance(answer, Unknown):
            assert "filled 10" in answer.evidence


async def kalshi_listens(kalshi: Lab) -> None:
    """Wait until the account's own stream tells of orders."""
    numbers = itertools.count()

    async def heard() -> bool | None:
        order = kalshi.order("buy", "1", "0.52", intent=f"probe/{next(numbers)}")
        await filled(kalshi, order)
        identity = kalshi.client.identify(order)
        sighting = await kalshi.client.find(order, identity, order.created_at_ms)
        return True if sighting.observations[0].source == "kalshi stream" else None

    await until(heard)


class TestFinding:
    @pytest.mark.parametrize("listed", [True, False], ids=["listed", "not listed"])
    async def test_a_killed_order_with_a_lost_answer(self, kalshi: Lab, *, listed: bool) -> None:
        """Whether the venue lists killed orders is not known: either way it ends right."""
        await knobs(kalshi, list_killed=listed, ws_silent=True)
        await kalshi.quote([], [["0.52", "5"]])
        await kalshi.fault("drop_after", "buy")
        order = kalshi.order("buy", "10", "0.52")
        assert isinstance(await kalshi.place(order), Unknown)
        answer = await concluded(kalshi, order)
        assert isinstance(answer, NotFilled)
        expected = Rejection.KILLED if listed else Rejection.NEVER_ARRIVED
        assert answer.rejection is expected

    async def test_nothing_is_concluded_before_the_reads_have_caught_up(self, kalshi: Lab) -> None:
        await knobs(kalshi, read_lag_ms=2_500, ws_silent=True)
        await kalshi.fault("drop_after", "buy")
        order = kalshi.order("buy", "10", "0.52")
        assert isinstance(await kalshi.place(order), Unknown)
        answer = await concluded(kalshi, order)
        assert isinstance(answer, Filled), answer
        assert total(answer.fills)[0] == 10

    async def test_another_orders_fill_is_never_taken_for_ours(self, kalshi: Lab) -> None:
        await kalshi.fault("drop_before", "buy")
        order = kalshi.order("buy", "10", "0.52")
        assert isinstance(await kalshi.place(order), Unknown)
        await filled(kalshi, kalshi.order("buy", "10", "0.52", intent="another/1"))
        answer = await concluded(kalshi, order)
        assert isinstance(answer, NotFilled)
        assert answer.rejection is Rejection.NEVER_ARRIVED

    async def test_a_settlement_is_no_sign_of_a_fill(self, kalshi: Lab) -> None:
        """It stamps the position anew, as a fill does, and no fill will ever explain it."""
        await filled(kalshi, kalshi.order("buy", "1", "0.52", intent="before/1"))
        await asyncio.sleep(SKEW_MARGIN_MS / 1000 + 0.5)  # that fill explains nothing any more
        await kalshi.fault("drop_before", "buy")
        order = kalshi.order("buy", "10", "0.52")
        assert isinstance(await kalshi.place(order), Unknown)
        await kalshi.post("/resolve", pair=kalshi.pair["id"], kalshi="no")
        answer = await concluded(kalshi, order)
        assert isinstance(answer, NotFilled)
        assert answer.rejection is Rejection.NEVER_ARRIVED

    async def test_a_failed_read_is_no_miss(self, kalshi: Lab) -> None:
        await kalshi.fault("drop_before", "buy")
        order = kalshi.order("buy", "10", "0.52")
        assert isinstance(await kalshi.place(order), Unknown)
        for _ in range(4):
            await kalshi.fault("error_after", "read", status=503)
        sighting = await kalshi.client.find(
            order, kalshi.client.identify(order), order.created_at_ms
        )
        assert sighting.answer is None
        assert {seen.found for seen in sighting.observations} == {None}


async def concluded(kalshi: Lab, order: Order) -> Answer:
    """Ask until an answer is definite or the order's absence proven, as activities do."""
    rule = Quarantine(wait_ms=1_000, needs_as_of=True)
    identity = kalshi.client.identify(order)
    observations: list[Any] = []

    async def ask() -> Answer | None:
        sighting = await kalshi.client.find(order, identity, order.created_at_ms)
        observations.extend(sighting.observations)
        answer = sighting.answer
        if answer is None:
            now_ms = max(seen.at_ms for seen in observations)
            answer = conclude_absent(tuple(observations), order.created_at_ms, now_ms, rule)
        return None if isinstance(answer, Unknown) else answer

    return await until(ask)


class TestMarkets:
    async def test_an_instrument_names_its_shard_and_its_fee(self, kalshi: Lab) -> None:
        found = kalshi.instrument
        assert found.exchange_index == kalshi.pair["kalshi"]["exchange_index"]
        assert found.token == f"{kalshi.market}:yes"
        assert found.size_step == Decimal("0.01")

    async def test_a_settled_market_pays_what_the_venue_credited(self, kalshi: Lab) -> None:
        await filled(kalshi, kalshi.order("buy", "10", "0.52"))
        assert await kalshi.client.resolution(kalshi.instrument) is None
        await kalshi.post("/resolve", pair=kalshi.pair["id"], kalshi="yes")
        won = await until(lambda: credited(kalshi, kalshi.instrument))
        assert won == Decimal(10)
        no = replace(kalshi.instrument, outcome=Outcome.NO)
        lost = await kalshi.client.resolution(no)
        assert lost is not None
        assert lost.pays == 0

    async def test_the_clock_of_the_venue_is_known_after_a_reply(self, kalshi: Lab) -> None:
        skew = client_of(kalshi).clock_skew_ms
        assert skew is not None
        assert abs(skew) < 2_000, "its Date header counts whole seconds, and a busy machine waits"

    async def test_a_paused_shard_of_ours_closes_the_venue(self, kalshi: Lab) -> None:
        assert (await kalshi.client.status()).accepts_orders
        await kalshi.post("/venue", venue="kalshi", mode="restarting")
        status = await kalshi.client.status()
        assert not status.accepts_orders
        assert status.server_time_ms > 0


async def credited(kalshi: Lab, instrument: Instrument) -> Decimal | None:
    """The cash of the settlement, once there is a row."""
    resolution = await kalshi.client.resolution(instrument)
    assert resolution is None or resolution.pays == 1
    return resolution.credited if resolution else None


class TestKeys:
    @pytest.mark.parametrize("name", ["ed25519", "rsa"])
    async def test_both_kinds_of_key_may_trade(self, kalshi: Lab, name: str) -> None:
        keys = kalshi.ready["keys"]["kalshi"]
        given = keys["ed25519"] if name == "ed25519" else keys
        urls = kalshi.ready["urls"]
        client = KalshiClient(
            KalshiAccount(
                key_id=given["key_id"],
                private_key_pem=given["private_key_pem"],
                base_url=urls["kalshi"],
                ws_url=urls["kalshi_ws"],
            )
        )
        order = kalshi.order("buy", "10", "0.52")
        answer = await client.place(order, client.identify(order), leave)
        await client.close()
        assert isinstance(answer, Filled), answer

    async def test_a_key_without_the_right_is_refused_by_name(self, kalshi: Lab) -> None:
        urls, key = kalshi.ready["urls"], kalshi.ready["keys"]["kalshi"]["read_only"]
        client = KalshiClient(
            KalshiAccount(
                key_id=key["key_id"],
                private_key_pem=key["private_key_pem"],
                base_url=urls["kalshi"],
                ws_url=urls["kalshi_ws"],
            )
        )
        order = kalshi.order("buy", "10", "0.52")
        answer = await client.place(order, client.identify(order), leave)
        await client.close()
        assert isinstance(answer, NotFilled)
        assert answer.rejection is Rejection.UNAUTHORISED

    def test_an_account_never_shows_its_key(self) -> None:
        account = KalshiAccount("key-1", "very secret")
        assert "very secret" not in repr(account)
        with pytest.raises(VenueMisuse, match="private_key_pem"):
            KalshiClient(account)
