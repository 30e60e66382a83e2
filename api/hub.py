"""One stream to many pages: numbered events that are never dropped, patches that coalesce."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from uuid import uuid4

from api.board import Board, merged, names_of, on_wire
from api.wire import Json, dumps, iso

RING = 1_000
WAITING_MAX = 256
CLIENTS_MAX = 200
VERSION = 1


class Client:
    """One page. `next_frame` gives what it is to be sent; what comes too fast is joined."""

    def __init__(self, hub: "Hub", topics: tuple[str, ...]) -> None:
        self._hub = hub
        self.topics = topics
        self._events: deque[bytes] = deque()
        self._patch: Json = {}
        self._frame: bytes | None = None
        self._restate = False
        self._wake = asyncio.Event()
        self.refs: dict[str, str] = {}

    def offer(self, frame: bytes) -> None:
        """An event or an answer. A page that is too far behind gets the whole state instead."""
        if len(self._events) >= WAITING_MAX:
            self._events.clear()
            self._patch, self._frame, self._restate = {}, None, True
            self._hub.dropped += 1
        if not self._restate:
            self._events.append(frame)
        self._wake.set()

    def offer_patch(self, changes: Json, frame: bytes) -> None:
        """A patch: joined with the one that waits, sent as it is where none does."""
        if self._restate:
            return
        if self._patch:
            for name, change in changes.items():
                self._patch[name] = merged(name, self._patch.get(name), change)
            self._frame = None
        else:
            self._patch, self._frame = dict(changes), frame
        self._wake.set()

    def forget_row(self, name: str, row_id: str) -> None:
        """An event is about to tell this row: what waits of it is older."""
        if name in self._patch:
            change = self._patch[name]
            upsert = {key: row for key, row in change["upsert"].items() if key != row_id}
            self._patch[name] = change | {"upsert": upsert}
            self._frame = None

    async def next_frame(self) -> bytes:
        """The next frame; waits for one."""
        while True:
            if self._restate:
                self._restate = False
                return self._hub.init(self.topics)
            if self._events:
                return self._events.popleft()
            if self._patch:
                changes, frame = self._patch, self._frame
                self._patch, self._frame = {}, None
                return frame or self._hub.frame("patch", on_wire(changes))
            self._wake.clear()
            await self._wake.wait()


class Hub:
    """All pages of this process, and the stream that they are told."""

    def __init__(self, wall_ms: Callable[[], int]) -> None:
        self._wall_ms = wall_ms
        self.board = Board()
        self.stream = uuid4().hex[:12]
        self.seq = 0
        self.dropped = 0
        self.clients: set[Client] = set()
        self._ring: deque[tuple[int, bytes]] = deque(maxlen=RING)
        self.board.put("stream", self.stream)

    def join(self, topics: tuple[str, ...]) -> Client:
        """A page that is told everything from now on."""
        client = Client(self, topics)
        self.clients.add(client)
        return client

    def leave(self, client: Client) -> None:
        """The page is gone."""
        self.clients.discard(client)

    def frame(self, kind: str, data: Json | None = None, **more: object) -> bytes:
        """One message as bytes."""
        body: Json = {"v": VERSION, "ts": iso(self._wall_ms()), "type": kind}
        return dumps(body | more | ({} if data is None else {"data": data}))

    def publish(self, kind: str, data: Json) -> None:
        """An event: numbered, kept for who comes back, and sent to every page. A page that asked
        for it under a `ref` of its own is told that too."""
        self.flush()
        self.seq += 1
        frame = self.frame(kind, data, seq=self.seq)
        self._ring.append((self.seq, frame))
        for client in self.clients:
            ref = client.refs.pop(data["id"], None) if kind == "position_closed" else None
            mine = frame if ref is None else self.frame(kind, data | {"ref": ref}, seq=self.seq)
            client.offer(mine)

    def tell(self, kind: str, data: Json) -> None:
        """Something outside of the numbered stream, to every page."""
        self.flush()
        frame = self.frame(kind, data)
        for client in self.clients:
            client.offer(frame)

    def publish_row(self, kind: str, name: str, row: Json) -> None:
        """An event that tells a row of a collection; `position_closed` tells its end."""
        row_id = row["id"]
        if kind == "position_closed":
            self.board.drop_row(name, row_id, quietly=True)
        else:
            self.board.put_row(name, row_id, row, quietly=True)
        self.flush()
        for client in self.clients:
            client.forget_row(name, row_id)
        self.publish(kind, row)

    def flush(self) -> None:
        """Send what changed on the board as one patch per set of topics."""
        changes = self.board.take_changes()
        if not changes:
            return
        made: dict[tuple[str, ...], tuple[Json, bytes]] = {}
        for client in self.clients:
            if client.topics not in made:
                wanted = set(names_of(client.topics))
                part = {name: change for name, change in changes.items() if name in wanted}
                made[client.topics] = part, self.frame("patch", on_wire(part)) if part else b""
            part, frame = made[client.topics]
            if part:
                client.offer_patch(part, frame)

    def init(self, topics: Iterable[str]) -> bytes:
        """The whole state."""
        return self.frame("init", self.board.data(topics), seq=self.seq)

    def resume(self, topics: tuple[str, ...], stream: str, last_seq: int) -> list[bytes] | None:
        """The events after `last_seq`, then the slices; None where they are not all kept."""
        oldest = self._ring[0][0] if self._ring else self.seq + 1
        if stream != self.stream or not oldest - 1 <= last_seq <= self.seq:
            return None
        missed = [frame for seq, frame in self._ring if seq > last_seq]
        told = self.frame("resume", {"from": last_seq + 1, "to": self.seq})
        state = self.frame("snapshot", self.board.data(topics))
        return [told, *missed, state]
