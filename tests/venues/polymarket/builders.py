"""Orders, instruments and accounts with defaults, for the Polymarket tests."""

from decimal import Decimal

from domain.fees import PolymarketFee
from domain.money import Price, Size, Usd
from domain.order import Order, Purpose
from domain.venue import Action, Instrument, Outcome, TickBand, TimeInForce, Venue
from venues.polymarket.account import PolymarketAccount, SignatureType, Wallet, wallet_of

PRIVATE_KEY = "0x" + "11" * 32
OWNER = "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"
DEPOSIT_WALLET = "0x2222222222222222222222222222222222222222"
CONDITION = "0x" + "ab" * 32
YES_TOKEN = "104239898038807136052399800151408521467737075933964991162589336683346093173875"


def an_instrument(
    tick: str = "0.01",
    rate: str = "0.05",
    *,
    neg_risk: bool = False,
    token: str = YES_TOKEN,
    market: str = CONDITION,
) -> Instrument:
    """A market with the usual minimums: five contracts, one dollar."""
    step = Decimal(tick)
    return Instrument(
        venue=Venue.POLYMARKET,
        market=market,
        token=token,
        outcome=Outcome.YES,
        ticks=(TickBand(step, 1 - step, step),),
        size_step=Size(Decimal("0.01")),
        size_min=Size(Decimal(5)),
        notional_min=Usd(Decimal(1)),
        fee=PolymarketFee(Decimal(rate)),
        neg_risk=neg_risk,
    )


def an_order(
    action: str = "buy",
    size: str = "10",
    limit: str = "0.58",
    *,
    instrument: Instrument | None = None,
    intent: str = "arb-1/polymarket/entry/1",
    created_at_ms: int = 1_760_000_000_123,
    time_in_force: TimeInForce = TimeInForce.FOK,
) -> Order:
    """A fill-or-kill entry of ten contracts at 0.58."""
    return Order(
        intent_id=intent,
        arb_id="arb-1",
        instrument=instrument or an_instrument(),
        purpose=Purpose.ENTRY if action == "buy" else Purpose.UNWIND,
        action=Action(action),
        size=Size(Decimal(size)),
        limit=Price(Decimal(limit)),
        time_in_force=time_in_force,
        reduce_only=action == "sell",
        created_at_ms=created_at_ms,
        not_after_ms=created_at_ms + 86_400_000_000,
    )


def an_account(kind: SignatureType = SignatureType.EOA) -> PolymarketAccount:
    """A throw-away key; type 0 holds its own funds, the others use a fixed wallet."""
    funder = OWNER if kind is SignatureType.EOA else DEPOSIT_WALLET
    return PolymarketAccount(private_key=PRIVATE_KEY, funder=funder, signature_type=kind)


def a_wallet(kind: SignatureType = SignatureType.EOA) -> Wallet:
    """The public half of `an_account`."""
    return wallet_of(an_account(kind))
