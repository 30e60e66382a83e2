"""Who trades on Kalshi and where: everything the adapter needs to be told."""

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

from domain.money import CENT


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long to wait for the venue, and when its silence counts as a fault.

    A socket is pinged every `ping` and given up when no answer comes within another `ping`.
    `rows` bounds how long a placed order waits for its fills, however slow their reads are.
    """

    connect: timedelta = timedelta(seconds=2)
    read: timedelta = timedelta(seconds=5)
    order: timedelta = timedelta(seconds=10)
    ping: timedelta = timedelta(milliseconds=2500)
    redial: timedelta = timedelta(seconds=1)
    rows: timedelta = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class KalshiAccount:
    """One account. `base_url` includes /trade-api/v2, `ws_url` /trade-api/ws/v2.

    `private_key_pem` is an unencrypted RSA or Ed25519 key; `fee_grid` the step (dollars) that the
    balance moves in: 0.0001 for direct members, 0.01 through a broker.
    """

    key_id: str
    private_key_pem: str = field(repr=False)
    base_url: str = "https://external-api.kalshi.com/trade-api/v2"
    ws_url: str = "wss://external-api-ws.kalshi.com/trade-api/ws/v2"
    fee_grid: Decimal = CENT
    timeouts: Timeouts = Timeouts()
