"""Nothing is bought on a token that the configuration does not name: on the simulated exchanges."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from app.demo.control import Control
from domain.money import usd
from domain.opportunity import Opportunity
from domain.policy import Bounds, ExecutorSettings
from domain.venue import Outcome, Venue
from markets.books import Books
from markets.feed import FeedLimits
from markets.pairs import Pairs
from markets.scanner import Scanner
from tests.domain.build import PAIR, a_pair
from tests.markets.conftest import running
from tests.markets.venue import LocalVenue
from tests.support.desk import open_desk
from tests.support.processes import Child
from tests.support.trading import sim_config

TEAMS = ("FaZe", "illwill")
BOTH_TOLD_SECONDS = 1.0


async def test_a_pair_with_swapped_or_foreign_tokens_is_never_told(
    sim: Child, tmp_path: Path
) -> None:
    config = await sim_config(sim.ready, tmp_path)
    right, swapped, foreign = (pair.to_domain() for pair in config.pairs[:3])
    swapped = replace(swapped, token_yes=swapped.token_no, token_no=swapped.token_yes)
    foreign = replace(foreign, token_yes=right.token_yes, token_no=right.token_no)
    told: asyncio.Queue[Opportunity] = asyncio.Queue()
    async with Control(sim.ready["urls"]["control"]) as control, open_desk(config) as desk:
        pairs = Pairs((right, swapped, foreign), desk.venues)
        await pairs.load()
        assert {name: one.why.reason for name, one in pairs.unlisted.items()} == {
            swapped.pair_id: "tokens_differ",
            foreign.pair_id: "tokens_differ",
        }
        books = Books(desk.venues, FeedLimits())
        books.watch(pairs.listed.values())
        scanner = Scanner(
            books, lambda: pairs.listed, ExecutorSettings, lambda _: usd(1_000), Bounds(), told.put
        )
        async with running(books.run, scanner.run):
            for pair in (foreign, swapped, right):
                await control.edge(pair.pair_id, cents=8)
            found = await asyncio.wait_for(told.get(), 5)
            await asyncio.sleep(BOTH_TOLD_SECONDS)
    leg = found.polymarket.instrument
    assert (leg.token, leg.outcome) == (right.token_yes, Outcome.YES)
    assert {found.pair_id, *(told.get_nowait().pair_id for _ in range(told.qsize()))} == {
        right.pair_id
    }


async def test_the_words_of_a_market_between_two_teams_name_what_yes_pays_on(
    sim: Child, tmp_path: Path
) -> None:
    config = await sim_config(sim.ready, tmp_path)
    teams, plain = (pair.to_domain() for pair in config.pairs[:2])
    async with Control(sim.ready["urls"]["control"]) as control, open_desk(config) as desk:
        await control.knobs("polymarket", markets={teams.pair_id: {"outcomes": list(TEAMS)}})
        venue = desk.venues[Venue.POLYMARKET]
        named = await venue.terms(teams.condition_id)
        unnamed = await venue.terms(plain.condition_id)
    assert named is not None
    assert unnamed is not None
    assert named.rules.startswith('Here YES pays on "FaZe", NO pays on "illwill".\n\n')
    assert "Here YES" not in unnamed.rules


YES, NO = PAIR.token_yes, PAIR.token_no
REVERSED, FOREIGN = "token_yes is the market's second outcome", f"they are {YES} and {NO}"


@pytest.mark.parametrize(
    ("yes", "no", "said"),
    [
        (NO, YES, REVERSED),
        (YES, "another", FOREIGN),
        ("another", NO, FOREIGN),
        ("another", YES, FOREIGN),
        (YES, YES, FOREIGN),
        ("", "", FOREIGN),
    ],
)
async def test_a_pair_is_traded_on_the_tokens_that_it_names_or_not_at_all(
    venues: dict[Venue, LocalVenue], yes: str, no: str, said: str
) -> None:
    pairs = Pairs(
        (replace(PAIR, token_yes=yes, token_no=no), a_pair("p2", condition="0xsecond")), venues
    )
    await pairs.load()
    assert set(pairs.listed) == {"p2"}
    why = pairs.unlisted["p1"].why
    assert (why.reason, said in why.detail) == ("tokens_differ", True), why
