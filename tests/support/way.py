"""A way to a server on loopback that can be cut: what is sent then is lost, and nobody is told."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

CHUNK = 1 << 16


class Way:
    """`address` leads to the server; see `opened`."""

    def __init__(self, target: str) -> None:
        host, _, port = target.rpartition(":")
        self._host, self._port = host, int(port)
        self.address = ""
        self._cut = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._server: asyncio.Server | None = None
        self._serving: set[asyncio.Task[None]] = set()

    def cut(self) -> None:
        """From now on connections are silent, also new ones."""
        self._cut = True

    def mend(self) -> None:
        """Those that were silent break; new ones work."""
        assert self._loop is not None, "mended once it listens"
        self._cut = False
        self._loop.call_soon_threadsafe(self._break)

    async def listen(self) -> None:
        """On a free port."""
        self._loop = asyncio.get_running_loop()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.address = f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def close(self) -> None:
        """Every connection breaks, and no other is taken."""
        assert self._server is not None, "closed after it listened"
        self._server.close()
        self._break()
        await asyncio.gather(*self._serving, return_exceptions=True)

    def _break(self) -> None:
        for task in self._serving:
            task.cancel()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until either side ends it."""
        task = asyncio.current_task()
        assert task is not None, "a connection is served in a task"
        self._serving.add(task)
        there: asyncio.StreamWriter | None = None
        try:
            back, there = await asyncio.open_connection(self._host, self._port)
            both = [
                asyncio.create_task(self._pass(reader, there)),
                asyncio.create_task(self._pass(back, writer)),
            ]
            try:
                await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for one in both:
                    one.cancel()
        except (OSError, asyncio.CancelledError):
            pass  # the connection is over, and with it this task
        finally:
            self._serving.discard(task)
            for end in (writer, there):
                if end is not None:
                    end.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(CHUNK):
                if not self._cut:
                    writer.write(data)
                    await writer.drain()


@contextmanager
def opened(target: str) -> Iterator[Way]:
    """A way to `target`, as host:port, for as long as the block. It has a thread of its own: who
    waits for a process holds up the loop of a test."""
    way, loop = Way(target), asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(way.listen(), loop).result()
        yield way
    finally:
        asyncio.run_coroutine_threadsafe(way.close(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
