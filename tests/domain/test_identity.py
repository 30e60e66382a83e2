"""Order identity: a function of the intent, within what each venue can carry."""

import re
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from domain.identity import client_order_id, intent_id, order_salt
from domain.order import Purpose
from domain.venue import Venue

ARBS = st.text(min_size=1, max_size=40)
INTENTS = st.builds(
    intent_id, ARBS, st.sampled_from(Venue), st.sampled_from(Purpose), st.integers(1, 10_000)
)


@given(INTENTS)
def test_a_client_order_id_is_32_characters_that_kalshi_takes(intent: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_-]{32}", client_order_id(intent))


@given(INTENTS)
def test_a_salt_travels_exactly_as_a_json_number(intent: str) -> None:
    assert 0 <= order_salt(intent) < 2**53


def test_identities_never_change_between_releases() -> None:
    """A restart with new code must find the orders of the old one: these values are fixed."""
    intent = intent_id("arb-0123456789abcdef0123", Venue.KALSHI, Purpose.ENTRY, 1)
    assert intent == "arb-0123456789abcdef0123/kalshi/entry/1"
    assert client_order_id(intent) == "e1plm8nhk1otgr6il8kdrh2e7tjaudkm"
    assert order_salt(intent) == 6153699104539059


@given(
    st.lists(
        st.tuples(ARBS, st.sampled_from(Venue), st.sampled_from(Purpose), st.integers(1, 10_000)),
        min_size=2,
        max_size=40,
        unique=True,
    )
)
def test_different_orders_have_different_names(
    orders: list[tuple[str, Venue, Purpose, int]],
) -> None:
    intents = [intent_id(*order) for order in orders]
    assert len(set(intents)) == len(orders)
    assert len({client_order_id(intent) for intent in intents}) == len(orders)
    assert len({order_salt(intent) for intent in intents}) == len(orders)


def test_every_order_of_one_arbitrage_has_its_own_name() -> None:
    intents = [intent_id("arb-1", *order) for order in product(Venue, Purpose, range(1, 50))]
    assert len({client_order_id(intent) for intent in intents}) == len(intents)
    assert len({order_salt(intent) for intent in intents}) == len(intents)
