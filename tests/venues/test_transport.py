"""What is provable about a request, on real sockets that fail in every way."""

import asyncio
import logging
import socket
import struct
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from domain.order import NotFilled, Rejection
from tests.venues.raw import Behaviour, raw_server, request, saying
from venues.port import FirstByte
from venues.transport import Lost, NotSent, Reply, Timeouts, Transport

SHORT = Timeouts(connect=timedelta(milliseconds=300), total=timedelta(milliseconds=500))


async def post(url: str, first_byte: FirstByte | None = None) -> Reply | NotSent | Lost:
    transport = Transport(url, timeouts=SHORT, reply_bytes_max=10_000)
    try:
        return await transport.send("POST", "/orders", content=b'{"a":1}', first_byte=first_byte)
    finally:
        await transport.close()


def reset(writer: asyncio.StreamWriter) -> None:
    """Close with RST instead of FIN."""
    linger = struct.pack("ii", 1, 0)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.close()


async def reset_unread(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    reset(writer)


async def reset_after_reading(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await request(reader)
    reset(writer)


async def hang(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await request(reader)
    await reader.read()


async def close_after_reading(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await request(reader)
    writer.close()


async def half_a_body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await request(reader)
    writer.write(b"HTTP/1.1 201 Created\r\ncontent-length: 100\r\n\r\n{")
    await writer.drain()


async def dripping(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await request(reader)
    writer.write(b"HTTP/1.1 201 Created\r\ncontent-length: 1000\r\n\r\n")
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.05)


async def nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await request(reader)
    writer.write(b"SSH-2.0-OpenSSH\r\n\r\n")
    await writer.drain()


async def too_much(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await saying(b"x" * 20_000)(reader, writer)


@pytest.mark.parametrize(
    "behaviour",
    [
        reset_unread,
        reset_after_reading,
        hang,
        close_after_reading,
        half_a_body,
        dripping,
        nonsense,
        too_much,
    ],
)
async def test_after_the_first_byte_every_failure_is_lost(behaviour: Behaviour) -> None:
    async with asyncio.timeout(5), raw_server(behaviour) as url:
        outcome = await post(url)
    assert isinstance(outcome, Lost), outcome
    assert outcome.detail.startswith("POST /orders: ")


async def test_a_refused_connection_sent_nothing() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        outcome = await post(f"http://127.0.0.1:{unused.getsockname()[1]}")
    assert isinstance(outcome, NotSent), outcome
    assert outcome.refusal.rejection is Rejection.NOT_SENT


async def test_a_name_that_does_not_resolve_sent_nothing() -> None:
    assert isinstance(await post("http://nowhere.invalid"), NotSent)


async def test_a_failed_tls_handshake_sent_nothing() -> None:
    async with raw_server(saying(b"{}")) as url:
        assert isinstance(await post(url.replace("http:", "https:")), NotSent)


async def test_a_connection_that_does_not_open_in_time_sent_nothing() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        fillers = [socket.socket() for _ in range(3)]
        for one in fillers:
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        outcome = await post(f"http://127.0.0.1:{full.getsockname()[1]}")
        for one in fillers:
            one.close()
    assert isinstance(outcome, NotSent), outcome


async def test_waiting_for_a_free_connection_sent_nothing() -> None:
    async with raw_server(hang) as url:
        transport = Transport(url, timeouts=SHORT, connections_max=1)
        first = asyncio.create_task(transport.send("POST", "/orders"))
        await asyncio.sleep(0)
        second = await transport.send("POST", "/orders")
        assert isinstance(second, NotSent), second
        assert isinstance(await first, Lost)
        await transport.close()


class TestTheLastCheck:
    async def test_it_runs_once_on_an_open_connection_and_lets_go(self) -> None:
        calls = 0

        async def first_byte() -> NotFilled | None:
            nonlocal calls
            calls += 1
            return None

        async with raw_server(saying(b"{}", 201)) as url:
            outcome = await post(url, first_byte=first_byte)
        assert isinstance(outcome, Reply)
        assert (outcome.status, outcome.body, calls) == (201, b"{}", 1)
        assert outcome.received.monotonic_ns > outcome.sent.monotonic_ns

    async def test_it_stops_the_request_before_any_byte(self) -> None:
        refusal = NotFilled(Rejection.FENCED, "disabled")
        seen = asyncio.Queue[bytes]()

        async def listen(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
            seen.put_nowait(await reader.read())

        async def first_byte() -> NotFilled | None:
            return refusal

        async with raw_server(listen) as url:
            assert await post(url, first_byte=first_byte) == NotSent(refusal)
            assert await seen.get() == b""

    async def test_what_it_raises_is_raised_and_nothing_was_sent(self) -> None:
        async def first_byte() -> NotFilled | None:
            raise TimeoutError("the journal is locked")

        async with raw_server(saying(b"{}")) as url:
            with pytest.raises(TimeoutError, match="the journal is locked"):
                await post(url, first_byte=first_byte)


@pytest.fixture
async def hanging() -> AsyncIterator[tuple[str, asyncio.Event]]:
    """A server that never answers, and whether it has a request."""
    reached = asyncio.Event()

    async def behave(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await request(reader)
        reached.set()
        await reader.read()

    async with raw_server(behave) as url:
        yield url, reached


async def test_a_cancelled_request_stays_cancelled(hanging: tuple[str, asyncio.Event]) -> None:
    url, reached = hanging
    sending = asyncio.create_task(post(url))
    await reached.wait()
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending


async def test_redirects_are_answers_and_are_not_followed() -> None:
    async with raw_server(saying(b"", 307)) as url:
        outcome = await post(url)
    assert isinstance(outcome, Reply)
    assert outcome.status == 307


async def test_a_proxy_in_the_environment_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    async with raw_server(saying(b"{}")) as url:
        assert isinstance(await post(url), Reply)


async def test_a_connection_is_kept_for_the_next_request() -> None:
    connections = 0

    async def count(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await saying(b"{}")(reader, writer)

    async with raw_server(count) as url:
        transport = Transport(url, timeouts=SHORT)
        for _ in range(5):
            assert isinstance(await transport.send("GET", "/x"), Reply)
        await transport.close()
    assert connections == 1


async def test_no_url_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with raw_server(saying(b"{}")) as url:
        await post(url)
    assert "/orders" not in caplog.text
