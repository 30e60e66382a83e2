"""Names derived from an arbitrage, so that a retry can only ever name the same order again."""

import hashlib

from domain.order import Purpose
from domain.venue import Venue

SALT_BITS = 53
_ALPHABET = "0123456789abcdefghijklmnopqrstuv"


ORDERS_PER_LIFE = 1_000_000
"""How many numbers one workflow of an arbitrage has for its orders: enough for years of tries."""


def first_number(adopted: int) -> int:
    """Where the `adopted`-th workflow of an arbitrage counts from: no order of an earlier one, not
    even one that is only about to be written down, has its name."""
    return adopted * ORDERS_PER_LIFE


def intent_id(arb_id: str, venue: Venue, purpose: Purpose, sequence: int) -> str:
    """The name of one order of one leg; `sequence` counts the orders of that purpose from 1."""
    return f"{arb_id}/{venue}/{purpose}/{sequence}"


def client_order_id(intent: str) -> str:
    """Kalshi's client_order_id: 32 characters of [0-9a-v], a function of the intent alone."""
    number = int.from_bytes(hashlib.sha256(intent.encode()).digest()[:20], "big")
    return "".join(_ALPHABET[(number >> shift) & 31] for shift in range(155, -1, -5))


def is_client_order_id(key: str) -> bool:
    """Whether a key has the form of those that `client_order_id` makes."""
    return len(key) == 32 and set(key) <= set(_ALPHABET)


def order_salt(intent: str) -> int:
    """Polymarket's salt: below 2**53 (it travels as a JSON number), a function of the intent."""
    digest = hashlib.sha256(b"salt:" + intent.encode()).digest()
    return int.from_bytes(digest[:8], "big") % (1 << SALT_BITS)
