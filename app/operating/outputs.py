"""What `--json` prints, verb by verb: the published schemas. Amounts are exact strings, times ISO
8601 UTC. A field is added without a new `schema_version`; nothing is renamed or removed without."""

from typing import Any

from app.operating.output import Json, Output, Part


class Leg(Part):
    """One leg: what it holds and what it cost (dollars, fees included). `state` is planned, sent,
    unknown, failed, matched, settled, sold or neutral."""

    venue: str
    outcome: str
    planned: str
    held: str
    price: str
    paid: str
    received: str
    fee: str
    state: str
    order_id: str | None
    error: str | None


class Position(Part):
    """One arbitrage that has not ended. `worst` is what it ends with at least if it is held,
    `close_now` what selling now brings by the bids seen last, known to be true at `book_at`; None
    where those books are too old (`book_stale`) or do not hold it."""

    id: str
    pair_id: str
    title: str
    mode: str
    phase: str
    reason: str
    opened_at: str
    legs: list[Leg]
    paid: str
    payout: str
    worst: str
    close_now: str | None
    book_at: str | None
    book_stale: bool
    temporal: str | None


class Positions(Output):
    """`lockstep positions`."""

    mode: str
    positions: list[Position]


class Trade(Part):
    """One row of the trade log. `pnl` is guaranteed until `final`, then realised."""

    id: str
    at: str
    title: str
    mode: str
    status: str
    size: str
    pnl: str
    roi: str | None
    final: bool
    reason: str


class Trades(Output):
    """`lockstep trades`; `more` are as many as `--limit` left out."""

    mode: str
    trades: list[Trade]
    more: int


class OrderStory(Part):
    """One order as it was meant and what became of it."""

    intent_id: str
    venue: str
    purpose: str
    action: str
    outcome: str
    size: str
    limit: str
    state: str
    key: str
    created_at: str
    sent_at: str | None
    answer: str | None
    evidence: list[str]


class Happening(Part):
    """One step in the life of an arbitrage, as journaled."""

    at: str
    kind: str
    said: str


class Shown(Output):
    """`lockstep show`."""

    position: Position
    status: str | None
    realised: str | None
    settings_version: int
    timeline: list[Happening]
    orders: list[OrderStory]
    workflow_id: str


class SettingsShown(Output):
    """`lockstep settings get`."""

    version: int
    saved_at: str
    saved_by: str
    origin: str
    settings: dict[str, str | int | bool]


class SettingsChange(Output):
    """`lockstep settings set`, `revert` and `diff`: each setting with its value before and after.
    `saved` is False for a preview, and where nothing had to change."""

    before_version: int
    after_version: int
    changes: dict[str, tuple[str | int | bool, str | int | bool]]
    saved: bool


class SettingsEntry(Part):
    """One saved version."""

    version: int
    at: str
    actor: str
    origin: str
    changes: Json


class SettingsHistory(Output):
    """`lockstep settings history`."""

    versions: list[SettingsEntry]


class ConfigValue(Part):
    """One value; a secret only says whether it is set."""

    value: Any
    origin: str


class ConfigShown(Output):
    """`lockstep config show`."""

    settings: dict[str, ConfigValue]


class Done(Output):
    """What an acting command did. `run_state` is OFF, RUNNING, PAUSED or HALTED."""

    action: str
    done: bool
    said: str
    run_state: str | None = None


class ClosePreview(Part):
    """What selling now brings, by the bids seen last; `why_not` says why it cannot be done. Where
    those of a venue are old or do not hold the position, `unpriced` names it, `unpriced_why` says
    so, and there is no `result`."""

    id: str
    title: str
    result: str | None
    hold_at_least: str | None
    why_not: str
    unpriced: list[str]
    unpriced_why: str


class Closed(Output):
    """`lockstep close` and `flatten`. `state` is preview, pending, succeeded or failed."""

    action: str
    previews: list[ClosePreview]
    results: list[Json]


class Naked(Part):
    """A leg that nothing hedges, in dollars: what it cost, what selling it now loses, and what the
    whole arbitrage pays at worst and at best if it is held."""

    venue: str
    outcome: str
    size: str
    exposure: str
    loss_now: str | None
    worst: str
    best: str


class Kept(Output):
    """`lockstep hold`, `take-over` and `mark-resolved`. `state` is preview, pending, succeeded or
    failed; `why_not` says why it would be refused now."""

    action: str
    id: str
    title: str
    phase: str
    meaning: str
    why_not: str
    leg: Naked | None
    state: str
    result: Json | None


class Diagnosis(Output):
    """`lockstep retry`: what is stuck, what would set it going, and whether that was done.
    `remedy` is update, reset, adopt, wait, start, person or none."""

    id: str
    phase: str
    workflow_id: str
    stuck: str
    remedy: str
    what: str
    done: bool


class Line(Part):
    """One line of a story: when, who, what."""

    at: str
    who: str
    said: str


class Trace(Output):
    """`lockstep trace`."""

    id: str
    title: str
    workflow_ids: list[str]
    lines: list[Line]


class Check(Part):
    """One line of the doctor: `state` is ok, warn or bad; `repair` the command that mends it."""

    name: str
    state: str
    detail: str
    repair: str


class Repair(Part):
    """What `lockstep doctor --fix` did about a check, or why it could not."""

    name: str
    done: bool
    said: str


class Doctor(Output):
    """`lockstep doctor`: the checks, after the repairs of `--fix`."""

    checks: list[Check]
    repairs: list[Repair]


class Exported(Output):
    """`lockstep export trades --format json`: rows as in the other formats."""

    rows: list[Json]


class Status(Output):
    """`lockstep top --json`: the system at one moment. Of today's `pnl`, `not_final` is guaranteed
    and not earned yet; null where all of it is final."""

    at: str
    mode: str
    run_state: str
    since: str
    by: str
    reason: str
    executors: int
    today: Json
    balances: dict[str, Json]
    positions: list[Position]
    alarms: list[Json]
    happened: list[str]


class Demo(Output):
    """`lockstep demo --json`: endings and refusals by kind, and what both ledgers say. Latencies
    are milliseconds (p50, p99), exposures seconds (p50, max), drift dollars."""

    seed: int
    trades: dict[str, int]
    refused: dict[str, int]
    orders_sent: int
    duplicate_orders: int
    naked_seconds: dict[str, float | None]
    signal_to_send_ms: dict[str, float | None]
    ledger_drift_usd: str
    violations: list[str]


class Version(Output):
    """`lockstep version`."""

    version: str


class SchemaNames(Output):
    """`lockstep schema` without a name: the outputs that have one."""

    names: list[str]


class LogLine(Output):
    """`lockstep logs --json`: one object per line."""

    process: str
    at: str | None
    level: str | None
    said: str
    fields: Json
