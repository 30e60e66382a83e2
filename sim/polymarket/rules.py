"""What makes an order acceptable before any matching: grid, decimals, minimums, expiry.

Each check raises ApiError with the venue's message; amounts are 6-decimal integers.
"""

from dataclasses import dataclass

from sim.polymarket.errors import ApiError, bad_payload
from sim.polymarket.market import TICKS, Market, plain
from sim.polymarket.orders import OrderType, Side, SignedOrder, Submission
from sim.units import ONE

MARKET_BUY_MINIMUM = ONE
GTD_LEAD_S = 180
SALT_LIMIT = 2**53
ROUNDED_TAKER = 100
"""A market order's takerAmount is rounded to 4 decimals, so its quotient is a hair off grid."""


@dataclass(frozen=True, slots=True)
class RuleKnobs:
    """Where the venue is undocumented or changed over time.

    `strict_market_decimals`: refuse a 5-decimal taker amount on fine ticks.
    `market_sell_minimum`: micro-shares an immediate SELL must have.
    """

    strict_market_decimals: bool = True
    market_sell_minimum: int = 0


def check(
    submission: Submission, order_id: str, market: Market, now_s: int, knobs: RuleKnobs
) -> int:
    """The order's limit price in micro-dollars on the tick grid; ApiError 400 otherwise."""
    order, order_type = submission.order, submission.order_type
    if order.salt >= SALT_LIMIT:
        raise bad_payload()
    if submission.post_only and order_type.immediate:
        raise ApiError(400, "invalid post-only order: only GTC and GTD may be post-only")
    check_expiration(order, order_type, now_s)
    check_decimals(order, order_type, market, knobs)
    price = limit_price(order, order_type, order_id, market)
    check_minimum(order, order_type, order_id, market, knobs)
    return price


def check_expiration(order: SignedOrder, order_type: OrderType, now_s: int) -> None:
    """GTD needs an expiry at least three minutes ahead, everything else needs none."""
    if order_type is OrderType.GTD:
        valid = order.expiration >= now_s + GTD_LEAD_S
    else:
        valid = order.expiration == 0
    if not valid:
        raise ApiError(400, "invalid expiration")


def check_decimals(
    order: SignedOrder, order_type: OrderType, market: Market, knobs: RuleKnobs
) -> None:
    """Immediate orders: maker 2 and taker 4 decimals; resting ones: shares 2, dollars by tick."""
    if order_type.immediate:
        maker_max, taker_max = 2, 4
        if not knobs.strict_market_decimals:
            taker_max = TICKS[market.tick]
        kind = f"market {order.side.lower()}"
    else:
        dollars = TICKS[market.tick]
        maker_max, taker_max = (dollars, 2) if order.side is Side.BUY else (2, dollars)
        kind = f"limit {order.side.lower()}"
    if finer_than(order.maker_amount, maker_max) or finer_than(order.taker_amount, taker_max):
        raise ApiError(
            400,
            f"invalid amounts, the {kind} orders maker amount supports a max accuracy of "
            f"{maker_max} decimals, taker amount a max of {taker_max} decimals",
        )


def finer_than(amount: int, decimals: int) -> bool:
    return amount % int(10 ** (6 - decimals)) != 0


def limit_price(order: SignedOrder, order_type: OrderType, order_id: str, market: Market) -> int:
    """Dollars per share; exact for resting orders, nearest tick for rounded market amounts."""
    buying = order.side is Side.BUY
    dollars = order.maker_amount if buying else order.taker_amount
    shares = order.taker_amount if buying else order.maker_amount
    price = nearest_tick(dollars, shares, market.tick)
    exact = price * shares == dollars * ONE
    if not exact and order_type.immediate:
        exact = price > 0 and abs(dollars * ONE - price * shares) < price * ROUNDED_TAKER
    if not exact:
        shown = plain(dollars * ONE // shares)
        raise ApiError(
            400,
            f"order {order_id} is invalid. Price ({shown}) breaks minimum tick size rule: "
            f"{plain(market.tick)}",
        )
    if not market.tick <= price <= ONE - market.tick:
        raise ApiError(
            400,
            f"order {order_id} is invalid. Price ({plain(price)}) out of range, "
            f"min: {plain(market.tick)} - max: {plain(ONE - market.tick)}",
        )
    return price


def nearest_tick(dollars: int, shares: int, tick: int) -> int:
    """The tick nearest to dollars/shares, a half rounding up."""
    return (2 * dollars * ONE + shares * tick) // (2 * shares * tick) * tick


def check_minimum(
    order: SignedOrder, order_type: OrderType, order_id: str, market: Market, knobs: RuleKnobs
) -> None:
    """A dollar for immediate BUYs, the market's minimum size for resting orders."""
    shares = order.taker_amount if order.side is Side.BUY else order.maker_amount
    if not order_type.immediate:
        if shares < market.min_size:
            raise too_small(order_id, shares, market.min_size)
    elif order.side is Side.BUY:
        check_marketable_buy(order.maker_amount)
    elif shares < knobs.market_sell_minimum:
        raise too_small(order_id, shares, knobs.market_sell_minimum)


def check_marketable_buy(dollars: int) -> None:
    """Also asked of a resting BUY that would trade at once."""
    if dollars < MARKET_BUY_MINIMUM:
        raise ApiError(
            400,
            f"invalid amount for a marketable BUY order (${plain(dollars)}), min size: $1",
        )


def too_small(order_id: str, shares: int, minimum: int) -> ApiError:
    return ApiError(
        400,
        f"order {order_id} is invalid. Size ({plain(shares)}) lower than the minimum: "
        f"{plain(minimum)}",
    )
