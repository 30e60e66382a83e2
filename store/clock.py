"""How far our clock is from that of the journal's server: no lease is judged by that one, but by it
all machines can be compared."""

from collections.abc import Callable

from sqlalchemy import text
from sqlmodel import Session

SERVER = text("SELECT CAST(floor(extract(epoch FROM clock_timestamp()) * 1000) AS bigint)")


def ahead_ms(session: Session, wall_ms: Callable[[], int]) -> int | None:
    """Our clock minus the server's, by as much as is certain: the time that the answer took may
    have passed on either way, so half of it is taken off. None where the journal is a file, which
    is on this machine."""
    if session.get_bind().dialect.name != "postgresql":
        return None
    session.execute(SERVER)  # the first one also connects, and begins the transaction
    asked_ms = wall_ms()
    server_ms = int(session.execute(SERVER).scalar_one())
    answered_ms = wall_ms()
    ahead = (asked_ms + answered_ms) // 2 - server_ms
    doubt = (answered_ms - asked_ms + 1) // 2
    return max(abs(ahead) - doubt, 0) * (1 if ahead > 0 else -1)
