"""What must hold on every merge: no crash at any point of the matrix loses or doubles an order."""

import asyncio

import pytest

from app.errors import UsageError
from tests.chaos.campaign import percentiles, run_campaign, tell_stderr
from tests.chaos.cases import PLAYED, draw, everything, merge_matrix
from tests.chaos.proxy import Proxy, Rule, Trouble

SEED = 7
ORDER = b"POST /order HTTP/1.1\r\nContent-Length: 9\r\n\r\ntoken-123"
OTHER = b"POST /order HTTP/1.1\r\nContent-Length: 9\r\n\r\ntoken-456"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


@pytest.mark.slow
@pytest.mark.temporal
@pytest.mark.timeout(600)
async def test_a_kill_before_send_before_answer_or_before_record_breaks_no_promise() -> None:
    cases = merge_matrix()
    result = await run_campaign(SEED, cases, tell_stderr)
    assert result.violations == []
    assert result.missed == []
    assert len(result.points_hit) == len(cases) == 12
    assert result.duplicate_orders == result.drift_usd == 0


def test_the_matrix_of_every_merge_is_whole() -> None:
    places = {(case.kind, case.venue, case.point) for case in merge_matrix()}
    assert len(places) == 2 * 2 * 3
    assert set(merge_matrix()) <= set(everything())


def test_a_seed_draws_the_same_cases_and_another_seed_others() -> None:
    assert draw(SEED, 500, frozenset()) == draw(SEED, 500, frozenset())
    assert draw(SEED, 60, frozenset()) != draw(SEED + 1, 60, frozenset())


def test_a_short_campaign_has_one_of_every_place_and_trouble() -> None:
    cases = draw(SEED, 80, frozenset())
    assert {case.point for case in cases} == {case.point for case in everything()}
    assert {case.network for case in cases} == {None, *Trouble}
    assert {case.kind for case in cases} == PLAYED


def test_only_the_places_asked_for_are_drawn() -> None:
    assert {case.point for case in draw(SEED, 40, frozenset({"P7", "P8"}))} == {"P7", "P8"}
    with pytest.raises(UsageError, match="P99"):
        draw(SEED, 40, frozenset({"P99"}))


def test_percentiles_are_by_nearest_rank() -> None:
    assert percentiles([3, 1, 2]) == {"p50": 2, "p99": 3, "count": 3}
    assert percentiles([]) == {"p50": None, "p99": None, "count": 0}


class Exchange:
    """A server that keeps what it received and answers every request."""

    def __init__(self) -> None:
        self.received = b""
        self.arrived = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1 << 16):
            self.received += data
            self.arrived.set()
            writer.write(ANSWER)
        writer.close()


async def ask(port: int, request: bytes, seconds: float = 20) -> bytes | None:
    """What comes back: bytes, b"" where the connection ended, None where nothing did in time."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    try:
        return await asyncio.wait_for(reader.read(1 << 16), seconds)
    except TimeoutError:
        return None
    except ConnectionError:
        return b""
    finally:
        writer.close()


@pytest.mark.parametrize(
    ("trouble", "answer", "arrives"),
    [
        (Trouble.HOLD_ANSWER, None, True),
        (Trouble.RESET_BEFORE, b"", False),
        (Trouble.RESET_AFTER, b"", True),
        (Trouble.BLACK_HOLE, None, False),
        (Trouble.HALF_OPEN, None, True),
        (Trouble.LATE, None, True),
        (Trouble.SLOW, None, True),
    ],
)
async def test_the_proxy_troubles_the_named_order_only(
    trouble: Trouble, answer: bytes | None, arrives: bool
) -> None:
    exchange = Exchange()
    server = await asyncio.start_server(exchange.serve, "127.0.0.1", 0)
    proxy = Proxy(server.sockets[0].getsockname()[1])
    port = await proxy.start()
    rule = proxy.add(Rule(b"token-123", trouble, ms=700))
    assert await ask(port, OTHER) == ANSWER
    exchange.received = b""
    exchange.arrived.clear()
    assert await ask(port, ORDER, 20 if answer is not None else 0.5) == answer
    assert rule.reached.is_set()
    if arrives:
        await asyncio.wait_for(exchange.arrived.wait(), 2)
        assert exchange.received == ORDER
    assert await ask(port, ORDER) == ANSWER, "a rule is used up by its order"
    await proxy.stop()
    assert arrives or exchange.received == ORDER, "only the second one arrived"
    server.close()
