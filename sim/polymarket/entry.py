"""An order's way in: gates, identity, rules, scripted failures, balance, match, reply."""

from dataclasses import dataclass
from typing import Any

from sim.book import Book
from sim.faults import Fault
from sim.orders import OrderRecord
from sim.polymarket import rules
from sim.polymarket.accounts import Wallet
from sim.polymarket.auth import ApiKey
from sim.polymarket.errors import ApiError
from sim.polymarket.exchange import MILLI_NS, VENUE, Exchange
from sim.polymarket.fees import Rounding, taker_fee
from sim.polymarket.market import Market
from sim.polymarket.matching import Piece, by_dollars, by_shares, reach, take
from sim.polymarket.orders import (
    OrderType,
    Side,
    SignatureType,
    Submission,
    check_signature,
    order_id,
    read_submission,
)
from sim.polymarket.resting import rest
from sim.polymarket.settlement import Fate
from sim.polymarket.trades import Order
from sim.wire import pause

FOK_KILLED = "order couldn't be fully filled. FOK orders are fully filled or killed."
FAK_KILLED = (
    "no orders found to match with FAK order. FAK orders are partially filled or killed if no "
    "match is found."
)
NOT_READY = "the market is not yet ready to process new orders"


class Dropped(Exception):
    """The connection shall be closed without an answer."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """Who sends an order and when its first byte came."""

    key: ApiKey
    first_byte_ns: int


async def submit(exchange: Exchange, arrival: Arrival, payload: Any) -> dict[str, object]:
    """Take one order of POST /order; the reply's body, ApiError, or Dropped."""
    submission = read_submission(payload)
    exchange.gate(submission.post_only)
    order = identify(exchange, arrival, submission)
    record = order.record
    exchange.records.append(record)
    try:
        fault = admit(exchange, order, arrival)
        record.fault = fault.do if fault else ""
        await before_matching(order, fault)
        if order.market.seconds_delay:
            return hold_back(exchange, order, fault)
        await pause(order.market.taker_delay_ms)
        execute(exchange, order, fault)
    except ApiError as refusal:
        if record.state == "received":
            record.state, record.reason = "refused", refusal.message
        raise
    await after_matching(order, fault)
    return order.reply()


def identify(exchange: Exchange, arrival: Arrival, submission: Submission) -> Order:
    """The order as the venue will know it; ApiError when it is not the key's to send."""
    signed = submission.order
    market = exchange.market_for(str(signed.token_id))
    if submission.owner != arrival.key.key:
        raise ApiError(400, "the order owner has to be the owner of the API KEY")
    wallet = check_maker(exchange, submission, arrival.key.address)
    ident = order_id(signed, market.domain)
    token = str(signed.token_id)
    outcome = market.outcome(token)
    buying = signed.side is Side.BUY
    record = OrderRecord(
        order_id=ident,
        client_id="",
        pair=market.pair,
        market=market.condition_id,
        asset=token,
        outcome=outcome,
        side=signed.side.value,
        action=signed.side.lower(),
        size=signed.taker_amount if buying else signed.maker_amount,
        limit=0,
        tif=submission.order_type.value,
        first_byte_ns=arrival.first_byte_ns,
        limit_dollars=signed.maker_amount if buying and submission.order_type.immediate else 0,
    )
    return Order(
        id=ident,
        submission=submission,
        market=market,
        token=token,
        outcome=outcome,
        limit=0,
        way=reach(outcome, signed.side, 0),
        wallet=wallet,
        key=arrival.key.key,
        record=record,
        created_ns=exchange.world.clock(),
    )


def check_maker(exchange: Exchange, submission: Submission, caller: str) -> Wallet:
    """The wallet behind maker and signer; ApiError when they do not belong to the caller."""
    signed, kind = submission.order, submission.order.signature_type
    wallet = exchange.wallet(caller, kind)
    deposit = kind is SignatureType.DEPOSIT_WALLET
    expected_signer = wallet.address if deposit else caller
    if signed.signer != expected_signer or (deposit and not exchange.knobs.wallet_deployed):
        raise ApiError(400, "the order signer address has to be the address of the API KEY")
    refused_eoa = kind is SignatureType.EOA and not exchange.knobs.eoa_allowed
    if signed.maker != wallet.address or refused_eoa:
        raise ApiError(400, "maker address not allowed, please use the deposit wallet flow")
    return wallet


def admit(exchange: Exchange, order: Order, arrival: Arrival) -> Fault | None:
    """Everything checked before matching; returns the failure scripted for this order."""
    submission, market, knobs = order.submission, order.market, exchange.knobs
    check_signature(submission.order, market.domain, arrival.key.address)
    if knobs.banned:
        raise ApiError(400, f"'{arrival.key.address}' address banned")
    if knobs.closed_only and order.side is Side.BUY:
        raise ApiError(400, f"'{arrival.key.address}' address in closed only mode")
    if order.id in exchange.known:
        exchange.duplicates += 1
        raise duplicated(order.id)
    if not market.accepting:
        raise ApiError(400, NOT_READY)
    exchange.known.add(order.id)
    rule_knobs = rules.RuleKnobs(knobs.strict_market_decimals, knobs.market_sell_minimum)
    order.limit = rules.check(submission, order.id, market, exchange.now_s(), rule_knobs)
    order.way = reach(order.outcome, order.side, order.limit)
    order.record.limit = order.limit
    fault = exchange.world.faults.take(VENUE, market.pair, order.record.action)
    if fault and fault.do in (
        "refuse",
        "error_before",
        "drop_before",
        "hang_before",
        "rate_limited",
    ):
        # the venue documents these as never having reached its order index
        exchange.known.discard(order.id)
    if fault and fault.do == "delay_fills":
        order.visible_ns = exchange.world.clock() + fault.ms * MILLI_NS
    return fault


def duplicated(ident: str) -> ApiError:
    return ApiError(400, f"order {ident} is invalid. Duplicated.")


async def before_matching(order: Order, fault: Fault | None) -> None:
    """Act out the failures in which nothing is matched, and delays."""
    if fault is None:
        return
    match fault.do:
        case "refuse":
            raise ApiError(400, fault.code or NOT_READY)
        case "kill":
            order.record.reached_matching = True
            raise kill(order)
        case "delay":
            await pause(fault.ms)
        case "hang_before":
            await pause(fault.ms)
            raise Dropped
        case "error_before":
            raise ApiError(fault.status, fault.code or "order timed out")
        case "drop_before":
            raise Dropped
        case "sell_refused":
            raise short_of_balance(0, order.size)
        case "rate_limited":
            raise ApiError(429, "Too Many Requests", {"Retry-After": "1"})


async def after_matching(order: Order, fault: Fault | None) -> None:
    """Act out the failures in which the order was matched but its answer is spoilt."""
    if fault is None:
        return
    match fault.do:
        case "hang":
            await pause(fault.ms)
        case "error_after":
            raise ApiError(fault.status, fault.code or "could not run the execution")
        case "drop_after":
            raise Dropped
        case "duplicate":
            raise duplicated(order.id)


def kill(order: Order) -> ApiError:
    """The refusal of an order that found too little, noted in its record."""
    message = FOK_KILLED if order.type is OrderType.FOK else FAK_KILLED
    order.record.state, order.record.reason = "killed", message
    return ApiError(400, message)


def short_of_balance(balance: int, wanted: int) -> ApiError:
    return ApiError(
        400,
        "not enough balance / allowance: the balance is not enough -> "
        f"balance: {balance}, order amount: {wanted}",
    )


def hold_back(exchange: Exchange, order: Order, fault: Fault | None) -> dict[str, object]:
    """A delayed market: accepted now, matched after the market's delay, answer already given."""
    order.status = order.record.state = "DELAYED"
    exchange.orders[order.id] = order

    async def later() -> None:
        await pause(order.market.seconds_delay * 1000)
        try:
            execute(exchange, order, fault)
        except ApiError as refusal:
            order.record.reason = refusal.message
            exchange.end(order, "UNMATCHED")

    exchange.settlement.spawn(later())
    return order.reply() | {"errorMsg": exchange.knobs.delayed_says}


def execute(exchange: Exchange, order: Order, fault: Fault | None) -> None:
    """Match what can be matched now, rest the remainder of a resting order, or kill it."""
    if not order.market.accepting:
        raise ApiError(400, NOT_READY)
    order.record.reached_matching = True
    book = exchange.world.book("polymarket", order.market.pair)
    check_funds(exchange, order, order.submission.order.maker_amount)
    pieces = reachable(order, book, fault)
    check_crossing(order, pieces)
    if not pieces and order.type.immediate:
        raise kill(order)
    fees = [fee_of(exchange, order.market, piece) for piece in pieces]
    if order.side is Side.BUY:
        check_funds(exchange, order, sum(piece.dollars for piece in pieces) + sum(fees))
    exchange.orders[order.id] = order
    take(book, order.way, pieces, order.id)
    exchange.match(order, pieces, fees, fates(exchange, pieces, fault), maker=False)
    if order.type.immediate or not order.remaining:
        exchange.end(order, "MATCHED")
    else:
        rest(exchange, order)
    if pieces:
        exchange.hub.order_event(order, "UPDATE")


def reachable(order: Order, book: Book, fault: Fault | None) -> list[Piece]:
    """What the order would trade now; nothing for a fill-or-kill that cannot be filled whole."""
    if fault and fault.do == "partial":
        return by_shares(book, order.way, order.side, min(fault.size, order.size))
    if order.type.immediate and order.side is Side.BUY:
        dollars = order.submission.order.maker_amount
        pieces = by_dollars(book, order.way, dollars)
        complete = sum(piece.dollars for piece in pieces) == dollars
    else:
        pieces = by_shares(book, order.way, order.side, order.size)
        complete = sum(piece.size for piece in pieces) == order.size
    return [] if order.type is OrderType.FOK and not complete else pieces


def fates(exchange: Exchange, pieces: list[Piece], fault: Fault | None) -> list[Fate]:
    """A fate per piece; a scripted ghost strikes all of them, or with code "first" one."""
    ghost_ms = fault.ms if fault and fault.do == "ghost" else None
    struck = 1 if fault and fault.code == "first" else len(pieces)
    return [
        exchange.settlement.fate(exchange.knobs, ghost_ms if number < struck else None)
        for number in range(len(pieces))
    ]


def check_funds(exchange: Exchange, order: Order, wanted: int) -> None:
    """The cached balance must cover `wanted` dollars (BUY) or shares (SELL), and the contract that
    matches the market must be allowed to take them."""
    token = "" if order.side is Side.BUY else order.token
    matched_by = "neg_risk" if order.market.neg_risk else "standard"
    if not exchange.knobs.approved(matched_by, "tokens" if token else "collateral"):
        raise ApiError(400, "not enough balance / allowance")
    if order.wallet.available(token) < wanted:
        raise short_of_balance(order.wallet.cached(token), wanted)


def check_crossing(order: Order, pieces: list[Piece]) -> None:
    """Post-only orders must not trade at once; resting BUYs that do need a dollar."""
    if not pieces or order.type.immediate:
        return
    if order.submission.post_only:
        raise ApiError(400, "invalid post-only order: order crosses book")
    if order.side is Side.BUY:
        rules.check_marketable_buy(order.submission.order.maker_amount)


def fee_of(exchange: Exchange, market: Market, piece: Piece) -> int:
    """The taker fee of one level."""
    rounding = Rounding(exchange.knobs.fee_rounding)
    return taker_fee(piece.size, piece.price, market.fee_rate, market.fee_exponent, rounding)
