"""What `lockstep scan` and `pairs` print as JSON."""

from app.operating.output import Json, Output, Part


class Seen(Part):
    """The last look at one pair: the better direction, in dollars after fees. Where it cannot be
    traded, of one contract, with the `reason` that the gate and the dashboard name too."""

    pair_id: str
    title: str
    confidence: str
    state: str
    roi: str
    profit: str
    size: str
    cost: str
    fees: str
    legs: dict[str, str]
    seen_at: str
    tradable: bool
    reason: str
    verdict: str


class Scan(Output):
    """`lockstep scan`. `funnel` (with --why) counts where the last hour's looks ended."""

    mode: str
    pairs: int
    checks_per_s: int
    opportunities: list[Seen]
    funnel: Json | None


class PairLine(Part):
    """One pair: the market at each venue, and why it is not traded now."""

    id: str
    title: str
    confidence: str
    markets: dict[str, str]
    listed: bool
    why_not: str


class Pairs(Output):
    """`lockstep pairs list`."""

    mode: str
    pairs: list[PairLine]


class Rules(Part):
    """What one venue says of its market; empty before it was read."""

    venue: str
    market: str
    title: str
    text: str
    url: str | None
    closes_at: str | None
    settles_at: str | None


class ReviewShown(Part):
    """The last word of a person on a pair: `verdict` is approved or rejected. `holds` says whether
    the markets are still those that were compared."""

    verdict: str
    by: str
    at: str
    why: str
    holds: bool


class PairReviewed(Output):
    """`lockstep pairs approve` and `reject`; `action` is preview, approve or reject."""

    action: str
    id: str
    title: str
    before: ReviewShown | None
    now: ReviewShown | None


class PairShown(Output):
    """`lockstep pairs show`. `max_size` is what both books offer within the plan's prices, and
    `capped_by` the one that ends it."""

    pair: PairLine
    rules: list[Rules]
    evidence: list[str]
    review: ReviewShown | None
    max_size: str | None
    capped_by: str | None


class ReplayedPair(Part):
    """One pair of a capture. `found` opportunities were told, of them `taken` would have been
    entered (a pair that is held is not entered again) and the rest not, by reason; `refused` counts
    looks that found none. Dollars are those of what was taken: `edge` at the prices shown, `fees`
    at most, `expected_net` their difference, `at_least` if every limit is paid."""

    pair_id: str
    title: str
    found: int
    taken: int
    not_taken: dict[str, int]
    refused: dict[str, int]
    best_roi: str | None
    edge: str
    fees: str
    expected_net: str
    at_least: str


class ReplayedCapture(Output):
    """`lockstep replay`: what would have been seen and taken at the books of a capture, not what
    would have been filled. `cut` says that its last line is not whole and was left out; `cash` is
    what each venue's account began with."""

    capture: str
    sha256: str
    began_at: str
    ended_at: str
    lines: int
    cut: bool
    looks: int
    settings: dict[str, str | int | bool]
    cash: str
    found: int
    taken: int
    refused: dict[str, int]
    edge: str
    fees: str
    expected_net: str
    at_least: str
    pairs: list[ReplayedPair]
