"""Reads over real HTTP: required keys of the current wire, filters, pages, odd cases."""

import pytest

from tests.sim.kalshi.harness import Member

KEYS = {
    "market": """ticker event_ticker market_type yes_sub_title no_sub_title created_time
        updated_time open_time close_time latest_expiration_time settlement_timer_seconds status
        yes_bid_dollars yes_ask_dollars no_bid_dollars no_ask_dollars last_price_dollars
        notional_value_dollars previous_yes_bid_dollars previous_yes_ask_dollars
        previous_price_dollars yes_bid_size_fp yes_ask_size_fp volume_fp volume_24h_fp
        open_interest_fp result can_close_early expiration_value rules_primary rules_secondary
        price_level_structure price_ranges settlement_bounds_type exchange_index""",
    "event": """event_ticker series_ticker title sub_title collateral_return_type
        mutually_exclusive exchange_index""",
    "series": """ticker frequency title category categories contract_url contract_terms_url
        fee_type fee_multiplier""",
    "order": """order_id user_id client_order_id ticker outcome_side book_side type status
        yes_price_dollars no_price_dollars fill_count_fp remaining_count_fp initial_count_fp
        taker_fill_cost_dollars maker_fill_cost_dollars taker_fees_dollars maker_fees_dollars""",
    "fill": """fill_id order_id ticker exchange_index outcome_side book_side count_fp
        yes_price_dollars no_price_dollars is_taker fee_cost created_time ts""",
    "position": """ticker exchange_index position_fp market_exposure_dollars
        total_traded_dollars realized_pnl_dollars fees_paid_dollars last_updated_ts""",
}
GONE = {"action", "side", "client_order_id", "response_price_units", "liquidity_dollars"}


@pytest.fixture(autouse=True)
async def bought(member: Member) -> None:
    await member.book([["0.53", "20.25"]], [["0.55", "10"]])
    assert (await member.order()).status_code == 201


async def _object(member: Member, name: str) -> dict[str, object]:
    listing = member.pair.kalshi
    places: dict[str, tuple[str, str]] = {
        "market": (f"/markets/{listing.ticker}", "market"),
        "event": (f"/events/{listing.event_ticker}", "event"),
        "series": (f"/series/{listing.series_ticker}", "series"),
        "order": ("/portfolio/orders", "orders"),
        "fill": ("/portfolio/fills", "fills"),
        "position": ("/portfolio/positions", "market_positions"),
    }
    path, field = places[name]
    found = (await member.get(path))[field]
    single: dict[str, object] = found[0] if isinstance(found, list) else found
    return single


@pytest.mark.parametrize("name", list(KEYS))
async def test_an_object_has_the_keys_the_current_wire_requires(member: Member, name: str) -> None:
    found = set(await _object(member, name))
    assert set(KEYS[name].split()) <= found
    unwanted = GONE - {"client_order_id"} if name == "order" else GONE
    assert not found & unwanted


async def test_balance_is_cut_to_cents_and_exact_in_dollars_per_shard(member: Member) -> None:
    body = await member.get("/portfolio/balance")
    assert (body["balance"], body["balance_dollars"]) == (999_432, "9994.3267")
    assert {"balance": "2494.3267", "exchange_index": 3} in body["balance_breakdown"]
    assert body["portfolio_value"] == 530
    shard = await member.get("/portfolio/balance?exchange_index=0")
    assert shard["balance_dollars"] == "2500.0000"


async def test_positions_are_signed_and_carry_cost_fees_and_profit(member: Member) -> None:
    await member.order(side="ask", price="0.5300", count="4.00")
    position = await _object(member, "position")
    assert position["position_fp"] == "6.00"
    assert position["market_exposure_dollars"] == "3.300000"
    # four bought at 0.55, sold at 0.53
    assert position["realized_pnl_dollars"] == "-0.080000"
    body = await member.get("/portfolio/positions?count_filter=position&settlement_status=settled")
    assert body["market_positions"] == []


async def test_orders_and_fills_are_filtered(member: Member) -> None:
    order = await _object(member, "order")
    for path, count in [
        (f"/portfolio/orders?ticker={member.ticker}", 1),
        ("/portfolio/orders?ticker=OTHER", 0),
        ("/portfolio/orders?status=executed", 1),
        ("/portfolio/orders?status=resting", 0),
        ("/portfolio/orders?min_ts=99999999999", 0),
        (f"/portfolio/fills?order_id={order['order_id']}", 1),
        (f"/portfolio/fills?ticker=OTHER,{member.ticker}", 1),
        ("/portfolio/fills?max_ts=1", 0),
    ]:
        body = await member.get(path)
        rows = body["orders"] if "orders" in body else body["fills"]
        assert len(rows) == count, path


async def test_an_executed_order_shows_its_limit_and_its_fill_cost(member: Member) -> None:
    await member.book([], [["0.55", "10"]])
    await member.order(price="0.9900", count="2.00")
    order = await _object(member, "order")
    assert order["yes_price_dollars"] == "0.9900"
    assert order["taker_fill_cost_dollars"] == "1.100000"


async def test_a_killed_order_is_listed_or_not_as_the_knob_says(member: Member) -> None:
    for listed in (True, False):
        await member.knobs(list_killed=listed)
        await member.order(count="5000.00", price="0.1000")
        found = (await member.get("/portfolio/orders?status=canceled"))["orders"]
        assert len(found) == 1


async def test_pages_end_with_an_empty_cursor(member: Member) -> None:
    seen: list[str] = []
    cursor = ""
    while True:
        body = await member.get(f"/markets?limit=10&cursor={cursor}")
        seen += [market["ticker"] for market in body["markets"]]
        cursor = str(body["cursor"])
        if not cursor:
            break
    assert seen == [pair.kalshi.ticker for pair in member.world.pairs.values()]


async def test_a_limit_too_high_is_refused_and_a_bad_cursor_is_not(member: Member) -> None:
    answer = await member.ask("GET", "/markets?limit=1001")
    assert answer.status_code == 400
    assert set(answer.json()) == {"msg"}
    assert (await member.ask("GET", "/markets?cursor=%25%25garbage")).status_code == 200


async def test_books_are_bids_of_both_outcomes_with_the_best_last(member: Member) -> None:
    await member.book([["0.53", "20.25"], ["0.50", "1"]], [["0.56", "2"], ["0.60", "3"]])
    book = (await member.get(f"/markets/{member.ticker}/orderbook"))["orderbook_fp"]
    assert book == {
        "yes_dollars": [["0.5000", "1.00"], ["0.5300", "20.25"]],
        "no_dollars": [["0.4000", "3.00"], ["0.4400", "2.00"]],
    }
    shallow = (await member.get(f"/markets/{member.ticker}/orderbook?depth=1"))["orderbook_fp"]
    assert shallow["yes_dollars"] == [["0.5300", "20.25"]]


async def test_an_unknown_ticker_has_an_empty_book_and_no_market(member: Member) -> None:
    book = await member.get("/markets/NOPE/orderbook")
    assert book == {"orderbook_fp": {"yes_dollars": [], "no_dollars": []}}
    answer = await member.ask("GET", "/markets/NOPE")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


async def test_several_books_take_repeated_tickers_not_a_comma_list(member: Member) -> None:
    first, second = (member.world.pairs[name].kalshi.ticker for name in ("p01", "p02"))
    both = await member.get(f"/markets/orderbooks?tickers={first}&tickers={second}")
    assert [book["ticker"] for book in both["orderbooks"]] == [first, second]
    comma = await member.get(f"/markets/orderbooks?tickers={first},{second}")
    assert comma["orderbooks"] == []


async def test_events_carry_overrides_and_nested_markets_on_request(member: Member) -> None:
    body = await member.get("/events?with_nested_markets=true&limit=200")
    events = body["events"]
    assert all(event["markets"] for event in events)
    overridden = member.world.pairs["p11"].kalshi.event_ticker
    found = {event["event_ticker"]: event for event in events}
    assert found[overridden]["fee_multiplier_override"] == 0.5
    assert (await member.ask("GET", "/events?limit=201")).status_code == 400


async def test_several_price_structures_are_listed(member: Member) -> None:
    markets = (await member.get("/markets"))["markets"]
    assert {market["price_level_structure"] for market in markets} == {
        "linear_cent",
        "tapered_deci_cent",
        "deci_cent",
    }


async def test_the_account_speaks_of_its_limits_costs_and_keys(member: Member) -> None:
    limits = await member.get("/account/limits")
    assert set(limits) == {"usage_tier", "read", "write", "grants"}
    assert (await member.get("/account/endpoint_costs"))["default_cost"] == 10
    keys = await member.get("/api_keys")
    assert keys["api_key_region_expiration_ts"] > 1_700_000_000
    status = await member.get("/exchange/status")
    assert [shard["exchange_index"] for shard in status["exchange_index_statuses"]] == [0, 1, 2, 3]
