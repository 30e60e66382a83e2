"""What `lockstep db`, `audit verify`, `alarms` and `replay-open` print as JSON."""

from app.operating.output import Output, Part


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


class Restored(Output):
    """`lockstep db restore`: `aside` is the file, or the schema, that the journal was before."""

    path: str
    copied_from: str
    aside: str | None


class Checked(Output):
    """`lockstep db check`: `problem` is None where the trail of who did what holds together."""

    path: str
    version: str
    audit_rows: int
    audit_head: str
    problem: str | None


class MovedTable(Part):
    """One table: its rows, and the digest of all of them, equal in the file and on the server."""

    name: str
    rows: int
    sha256: str


class Moved(Output):
    """`lockstep db migrate-to-postgres`: `already` says that an earlier run had finished."""

    path: str
    to: str
    already: bool
    tables: list[MovedTable]


class AuditVerified(Output):
    """`lockstep audit verify`: the number of rows, the newest hash, and what is wrong, if any."""

    rows: int
    head: str
    problem: str | None


class Alarm(Part):
    """One alarm from its opening to its evidence; None for what did not happen yet."""

    id: int
    key: str
    code: str
    severity: str
    arb_id: str | None
    detail: str
    opened_at: str
    repeated_at: str
    repeats: int
    acknowledged_at: str | None
    acknowledged_by: str | None
    closed_at: str | None
    evidence: str | None


class Alarms(Output):
    """`lockstep alarms list`."""

    mode: str
    alarms: list[Alarm]


class Acknowledged(Output):
    """`lockstep alarms ack`: what the alarm is now."""

    alarm: Alarm


class Differing(Part):
    """An open arbitrage whose history this version would not repeat, and where it differs."""

    workflow_id: str
    why: str


class Replayed(Output):
    """`lockstep replay-open`: how many histories were replayed, and those that differ."""

    checked: int
    differing: list[Differing]
