"""The engine: price priority against the book, fill-or-kill, self-trade prevention, settlement."""

from sim.book import Action
from sim.kalshi.announce import announce_fill, announce_lifecycle, remember
from sim.kalshi.errors import nested
from sim.kalshi.exchange import Exchange
from sim.kalshi.fees import trade_fee
from sim.kalshi.model import FOK, GTC, Fill, Order, Settlement
from sim.listings import Pair
from sim.orders import FillRecord
from sim.units import ONE


def check_funds(exchange: Exchange, order: Order) -> bool:
    """Whether the shard holds the limit price of what would be opened, plus its fee."""
    request, listing = order.request, order.pair.kalshi
    position = exchange.account(order.pair).position(request.ticker)
    reducible = max(0, -position if request.side == "bid" else position)
    opening = 0 if request.reduce_only else max(0, request.count - reducible)
    if not opening:
        return True
    multiplier = listing.fee_multiplier_override or listing.fee_multiplier
    fee = trade_fee(listing.fee_type, multiplier, request.price, opening, is_taker=True)
    need = opening * order.unit_cost // ONE + fee
    return need <= exchange.available(listing.exchange_index)


def crosses(exchange: Exchange, order: Order) -> bool:
    """Whether the order would trade at once."""
    return bool(_walk(exchange, order, order.request.price, 1))


def place(exchange: Exchange, order: Order, at_most: int | None = None) -> bool:
    """Match an accepted order and rest what may rest; False when a fill-or-kill was killed.

    `at_most` (a fault) bounds what is traded and makes a fill-or-kill partial.
    """
    order.record.reached_matching = True
    exchange.orders[order.record.order_id] = order
    exchange.records.append(order)
    wanted = order.remaining
    if order.request.reduce_only:
        wanted = min(wanted, _reducible(exchange, order))
    if at_most is not None:
        wanted = min(wanted, at_most)
    limit, stopped = _prevent_self_trade(exchange, order, wanted)
    found = _walk(exchange, order, limit, wanted)
    total = sum(size for _, size in found)
    must_fill = order.request.tif == FOK and not stopped and at_most is None
    if must_fill and total < order.request.count:
        _end_killed(exchange, order)
        return False
    cause = order.request.client_order_id or None
    book = exchange.world.book("kalshi", order.pair.id)
    for price, size in book.take(_action(order), limit, wanted, cause):
        apply_fill(exchange, order, price, size, is_taker=True)
    if order.remaining == 0:
        end(exchange, order, "")
    elif order.request.tif == GTC and not stopped and at_most is None:
        _rest(exchange, order)
    else:
        end(exchange, order, "self_trade" if stopped else "no_more_volume")
    return True


def kill(exchange: Exchange, order: Order) -> None:
    """End a fill-or-kill unfilled although the book might have filled it (a fault)."""
    order.record.reached_matching = True
    exchange.orders[order.record.order_id] = order
    exchange.records.append(order)
    _end_killed(exchange, order)


def end(exchange: Exchange, order: Order, reason: str) -> None:
    """Close an order: executed when nothing remained, else canceled."""
    order.status = "executed" if order.remaining == 0 else "canceled"
    order.remaining = 0
    order.updated_ns = exchange.world.clock()
    order.record.state = order.status
    order.record.reason = reason
    remember(exchange, order)


def cancel(exchange: Exchange, order: Order) -> int:
    """Take a resting order off the book; returns the size it gave up."""
    if order.status != "resting":
        raise nested(404, "not_found")
    given_up = order.remaining
    exchange.resting[order.pair.id].remove(order)
    book = exchange.world.book("kalshi", order.pair.id)
    cause = order.request.client_order_id or None
    book.rest(order.request.side, order.request.price, -given_up, cause)
    end(exchange, order, "canceled")
    return given_up


def expire(exchange: Exchange) -> None:
    """Cancel resting orders whose time has come."""
    now = exchange.world.clock()
    for orders in list(exchange.resting.values()):
        for order in list(orders):
            if 0 < order.request.expires_ns <= now:
                cancel(exchange, order)


def match_resting(exchange: Exchange, pair: Pair) -> None:
    """Trade own resting orders that others' quotes have come to cross, oldest first."""
    book = exchange.world.book("kalshi", pair.id)
    for order in list(exchange.resting[pair.id]):
        cause = order.request.client_order_id or None
        for _, size in book.take(_action(order), order.request.price, order.remaining, cause):
            book.rest(order.request.side, order.request.price, -size, cause)
            apply_fill(exchange, order, order.request.price, size, is_taker=False)
        if order.remaining == 0:
            exchange.resting[pair.id].remove(order)
            end(exchange, order, "")


def apply_fill(exchange: Exchange, order: Order, price: int, size: int, *, is_taker: bool) -> None:
    """Book one trade at YES `price`: the closing part gets its price, the rest pays for it."""
    request, listing = order.request, order.pair.kalshi
    account = exchange.account(order.pair)
    closing = min(size, _reducible(exchange, order))
    yes, no = price, ONE - price
    pays, gets = (yes, no) if request.side == "bid" else (no, yes)
    # exact: prices are multiples of 100 and sizes of 10,000 micro-units
    revenue = (closing * gets - (size - closing) * pays) // ONE
    multiplier = listing.fee_multiplier_override or listing.fee_multiplier
    model = trade_fee(listing.fee_type, multiplier, price, size, is_taker=is_taker)
    fee = order.fees.charge(revenue, model)
    trade_id = exchange.new_id()
    signed = size if request.side == "bid" else -size
    account.book("trade", trade_id, asset=request.ticker, cash=revenue, position=signed)
    if fee:
        account.book("fee", trade_id, cash=-fee)
    order.filled += size
    order.remaining -= size
    order.updated_ns = exchange.world.clock()
    cost = size * pays // ONE
    if is_taker:
        order.taker_cost, order.taker_fees = order.taker_cost + cost, order.taker_fees + fee
    else:
        order.maker_cost, order.maker_fees = order.maker_cost + cost, order.maker_fees + fee
    own_price = yes if order.record.outcome == "yes" else no
    record = FillRecord(trade_id, own_price, size, fee, "FINAL", order.updated_ns)
    order.record.fills.append(record)
    fill = Fill(
        trade_id, order, price, size, fee, revenue, closing, is_taker,
        account.position(request.ticker), order.updated_ns,
    )  # fmt: skip
    exchange.fills.append(fill)
    exchange.fills_of[request.ticker].append(fill)
    announce_fill(exchange, fill)


def settle(exchange: Exchange, pair: Pair, outcome: str) -> None:
    """Pay the net position: $1.00 per contract on the winning side, nothing on the other."""
    ticker = pair.kalshi.ticker
    for order in list(exchange.resting[pair.id]):
        cancel(exchange, order)
    account = exchange.account(pair)
    position = account.position(ticker)
    won = (outcome == "yes") == (position > 0)
    revenue = abs(position) if won and position else 0
    announce_lifecycle(exchange, pair, "determined", outcome)
    if position:
        account.book("payout", ticker, asset=ticker, cash=revenue, position=-position)
        now = exchange.world.clock()
        exchange.settlements.append(Settlement(pair, outcome, position, revenue, now))
    announce_lifecycle(exchange, pair, "settled", outcome)


def _end_killed(exchange: Exchange, order: Order) -> None:
    order.listed = exchange.knobs.list_killed
    end(exchange, order, "fill_or_kill_insufficient_resting_volume")


def _action(order: Order) -> Action:
    return "buy" if order.request.side == "bid" else "sell"


def _reducible(exchange: Exchange, order: Order) -> int:
    position = exchange.account(order.pair).position(order.request.ticker)
    return max(0, -position if order.request.side == "bid" else position)


def _walk(exchange: Exchange, order: Order, limit: int, size: int) -> list[tuple[int, int]]:
    return exchange.world.book("kalshi", order.pair.id).preview(_action(order), limit, size)


def _prevent_self_trade(exchange: Exchange, order: Order, wanted: int) -> tuple[int, bool]:
    """The limit up to which others may be met, and whether an own order stops the walk there."""
    request = order.request
    buying = request.side == "bid"
    found = _walk(exchange, order, request.price, wanted)
    filled = sum(size for _, size in found) >= wanted
    reach = found[-1][0] if filled and found else request.price
    met = [
        own
        for own in exchange.resting[order.pair.id]
        if own.request.side != request.side
        and (own.request.price <= request.price if buying else own.request.price >= request.price)
        and (not filled or (own.request.price < reach if buying else own.request.price > reach))
    ]
    if not met:
        return request.price, False
    if request.stp == "maker":
        for own in met:
            cancel(exchange, own)
        return request.price, False
    prices = [own.request.price for own in met]
    return (min(prices) if buying else max(prices)), True


def _rest(exchange: Exchange, order: Order) -> None:
    exchange.resting[order.pair.id].append(order)
    order.record.state = order.status = "resting"
    book = exchange.world.book("kalshi", order.pair.id)
    cause = order.request.client_order_id or None
    book.rest(order.request.side, order.request.price, order.remaining, cause)
    remember(exchange, order)
