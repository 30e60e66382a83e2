"""The simulated exchanges' control server, as the demo and the tests use it."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Self

import httpx


@dataclass(frozen=True, slots=True)
class Quote:
    """One venue's book in YES prices: a bid and an ask, each with the same depth (contracts), and
    what is asked `above`, as (price, contracts)."""

    bid: str
    ask: str
    depth: str = "100"
    above: tuple[tuple[str, str], ...] = ()

    def as_json(self) -> dict[str, list[list[str]]]:
        """The book as the control server takes it."""
        asks = [[self.ask, self.depth], *([price, depth] for price, depth in self.above)]
        return {"yes_bids": [[self.bid, self.depth]], "yes_asks": asks}


class Control:
    """A client of one simulator; a refused command raises with the simulator's own words.
    Its connection is closed with the block."""

    def __init__(self, url: str) -> None:
        self._http = httpx.AsyncClient(base_url=url, trust_env=False, timeout=10)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def state(self) -> Mapping[str, dict[str, object]]:
        """Both ledgers, by venue."""
        state: dict[str, dict[str, dict[str, object]]] = await self._get("/state")
        return state["venues"]

    async def pairs(self) -> list[dict[str, object]]:
        """The markets that both exchanges list."""
        listed: dict[str, list[dict[str, object]]] = await self._get("/markets")
        return listed["pairs"]

    async def books(self, pair: str, polymarket: Quote, kalshi: Quote) -> None:
        """Replace both books of a pair."""
        body = {"pair": pair, "polymarket": polymarket.as_json(), "kalshi": kalshi.as_json()}
        await self._post("/books", body)

    async def edge(self, pair: str, cents: int, fair: int = 50, depth: str = "100") -> None:
        """Quote so that YES at Polymarket and NO at Kalshi cost `cents` less than a dollar.

        `fair` is Polymarket's ask in cents; the spread of each book is two cents, and the
        opposite direction loses.
        """
        ask, kalshi_bid = fair, fair + cents
        await self.books(
            pair,
            Quote(_dollars(ask - 2), _dollars(ask), depth),
            Quote(_dollars(kalshi_bid), _dollars(kalshi_bid + 2), depth),
        )

    async def quiet(self, pair: str) -> None:
        """Quote without any edge."""
        await self.edge(pair, cents=-2)

    async def fault(
        self,
        venue: str,
        pair: str,
        action: str,
        do: str,
        *,
        times: int = 1,
        skip: int = 0,
        probability: str = "1",
        params: Mapping[str, object] | None = None,
    ) -> None:
        """Script what happens to the next `times` such orders (0: to all) after `skip` others, each
        with this probability; pair "*" means any."""
        rule = {"venue": venue, "market": pair, "action": action, "do": do, "times": times}
        more = {"skip": skip, "probability": probability, "params": params or {}}
        await self._post("/faults", {"rules": [{**rule, **more}]})

    async def clear_faults(self) -> None:
        """Forget every scripted failure."""
        _checked(await self._http.delete("/faults"))

    async def resolve(
        self, pair: str, polymarket: str | None = "yes", kalshi: str | None = "yes"
    ) -> None:
        """Answer the question at both venues; None leaves it open at one."""
        answers = {"polymarket": polymarket, "kalshi": kalshi}
        given = {venue: answer for venue, answer in answers.items() if answer is not None}
        await self._post("/resolve", {"pair": pair, **given})

    async def knobs(self, venue: str, **knobs: object) -> None:
        """Turn some of a venue's knobs."""
        await self._post("/knobs", {"venue": venue, "knobs": knobs})

    async def mode(self, venue: str, mode: str) -> None:
        """Open a venue, or close it: `open`, `maintenance`, `post_only` or `restarting`."""
        await self._post("/venue", {"venue": venue, "mode": mode})

    async def cash(self, venue: str, usd: Decimal, shard: int = 0) -> None:
        """Deposit, or with a negative amount withdraw; at Kalshi on one of its shards."""
        await self._post("/cash", {"venue": venue, "usd": str(usd), "ref": f"shard:{shard}"})

    async def _get(self, path: str) -> dict:  # type: ignore[type-arg]
        return _checked(await self._http.get(path))

    async def _post(self, path: str, body: Mapping[str, object]) -> None:
        _checked(await self._http.post(path, json=body))


def _checked(reply: httpx.Response) -> dict:  # type: ignore[type-arg]
    answer: dict = reply.json()  # type: ignore[type-arg]
    if reply.status_code != httpx.codes.OK:
        raise ValueError(f"simulator: {answer.get('error', answer)}")
    return answer


def _dollars(cents: int) -> str:
    return str(Decimal(cents).scaleb(-2))
