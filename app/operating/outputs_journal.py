"""What `lockstep db` prints as JSON."""

from app.operating.output import Output


class Upgraded(Output):
    """`lockstep db upgrade`: `before` is None where the file was empty, `copied_to` where what it
    was is kept."""

    path: str
    before: str | None
    after: str
    copied_to: str | None


class BackedUp(Output):
    """`lockstep db backup`."""

    path: str
    bytes: int
