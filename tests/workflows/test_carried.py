"""Nothing that an arbitrage knows is left behind when its history is."""

from dataclasses import fields

from activities.messages import ArbitrageInput, Carried
from app.payloads import DATA_CONVERTER
from tests.virtual.plan import a_plan
from tests.virtual.script import script
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
