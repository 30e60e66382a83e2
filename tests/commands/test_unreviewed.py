"""`pairs list` and `pairs show` on a pair that is seen and that nobody has approved."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from app.commands.markets import _pair_lines
from app.config import Config
from app.config_sources import load_config
from app.links import open_journal, wall_ms
from app.operating import markets, reviewing
from domain.venue import Venue
from store import sightings
from store.states import ReviewVerdict
from tests.domain.tables import rows

CONDITION, TICKER = "0x" + "ab" * 32, "KXRAIN"
APPROVE = "nobody has approved it: lockstep pairs approve rain"
# What the configuration calls the pair, what a person said, and why it is not traded.
TABLE = """
    confidence  said        why not
    low         -           nobody has approved it: lockstep pairs approve rain
    medium      -           nobody has approved it: lockstep pairs approve rain
    high        -           -
    reviewed    -           -
    low         approved    -
    low         other       nobody has approved it: lockstep pairs approve rain
"""


def configured(folder: Path, confidence: str, condition: str = CONDITION) -> Config:
    """One pair, of which nothing but the confidence is in question."""
    (folder / "lockstep.toml").write_text(
        f'data_dir = "{folder}"\n[[pairs]]\nid = "rain"\ntitle = "Rain?"\n'
        f'confidence = "{confidence}"\nkalshi = {{ ticker = "{TICKER}" }}\n'
        f'polymarket = {{ condition_id = "{condition}", token_yes = "1", token_no = "2" }}\n'
    )
    return load_config(env={}, folder=folder).config


async def see(config: Config, confidence: str) -> None:
    """An executor has looked at the pair and told of it."""
    legs: Mapping[str, object] = {
        Venue.POLYMARKET.value: {"market": CONDITION},
        Venue.KALSHI.value: {"market": TICKER},
    }
    seen = {"rain": {"card": {"title": "Rain?", "confidence": confidence, "legs": legs}}}
    now_ms = wall_ms()
    journal = open_journal(config)
    try:
        await journal.write(now_ms, lambda s: sightings.keep(s, "test", seen, (), now_ms))
    finally:
        journal.close()


@pytest.mark.parametrize(("confidence", "said", "why_not"), rows(TABLE))
async def test_a_seen_pair_is_traded_or_says_what_it_waits_for(
    tmp_path: Path, confidence: str, said: str, why_not: str
) -> None:
    config = configured(tmp_path, confidence)
    await see(config, "HIGH" if confidence in ("high", "reviewed") else confidence.upper())
    if said != "-":
        compared = configured(
            tmp_path, confidence, CONDITION if said == "approved" else "0x" + "cd" * 32
        )
        await reviewing.review(compared, "rain", ReviewVerdict.APPROVED, "same source")
    (listed,) = (await markets.pairs(config)).pairs
    assert (listed.why_not or "-", listed.listed) == (why_not, why_not == "-")
    shown = await markets.pair(config, "rain")
    assert shown.pair == listed
    state = "traded" if why_not == "-" else f"not traded: {why_not}"
    assert _pair_lines(shown)[1] == f"confidence {listed.confidence} · {state}"


async def test_a_pair_of_another_configuration_goes_by_its_card(tmp_path: Path) -> None:
    config = load_config(env={"LOCKSTEP_DATA_DIR": str(tmp_path)}, folder=tmp_path).config
    for told, why_not in (("LOW", APPROVE), ("HIGH", "")):
        await see(config, told)
        (listed,) = (await markets.pairs(config)).pairs
        assert (listed.why_not, listed.listed) == (why_not, why_not == "")


async def test_what_nobody_has_seen_or_approved_says_both(tmp_path: Path) -> None:
    config = configured(tmp_path, "low")
    open_journal(config).close()
    (listed,) = (await markets.pairs(config)).pairs
    assert listed.why_not == f"no executor has seen both books yet; {APPROVE}"
