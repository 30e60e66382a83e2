"""Nothing that an arbitrage knows is left behind when its history is."""

from dataclasses import fields, replace

from activities.messages import ArbitrageInput, Carried
from app.payloads import DATA_CONVERTER
from domain.money import price, usd
from domain.standing import Word
from domain.venue import Venue
from store.codec import word_from, word_json
from tests.virtual.plan import a_plan
from tests.virtual.script import script
from workflows.carried import taken_from
from workflows.state import TradeState

SPARED = {"plan", "nudged", "next_try_ms"}
"""The plan travels beside it; a pause, its end and a person's nudge to end it are over by then."""


def test_every_attribute_of_the_state_is_carried() -> None:
    attributes = {name.removeprefix("_") for name in vars(TradeState(a_plan(script(1))))}
    assert attributes - SPARED == {field.name for field in fields(Carried)}


async def test_a_state_goes_through_a_payload_and_comes_back_the_same() -> None:
    state = TradeState(a_plan(script(1)))
    state.escalations, state.flattening = 3, True
    plan = state.carried()
    (read,) = await DATA_CONVERTER.decode(await DATA_CONVERTER.encode([plan]), [ArbitrageInput])
    assert read == plan
    assert TradeState(read).carried() == plan


async def test_a_word_goes_through_payload_and_journal_and_is_obeyed() -> None:
    word = Word(True, usd("0.01"), {Venue.KALSHI: price("0.41")})
    plan = replace(a_plan(script(1)), word=word_from(word_json(word)))
    (read,) = await DATA_CONVERTER.decode(await DATA_CONVERTER.encode([plan]), [ArbitrageInput])
    state = TradeState(read)
    assert (state.flattening, state.limits, state.budget_left) == (True, word.limits, usd("0.01"))
    assert taken_from(state).word == word
    kept = TradeState(replace(plan, word=Word(sells=False)))
    assert taken_from(kept).word == Word(sells=False)
    assert taken_from(TradeState(replace(plan, word=None))).word is None
