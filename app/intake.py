"""From opportunity to workflow: what would be refused anyway is refused here, for free."""

import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from temporalio.client import Client, WorkflowHandle
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError

from activities.messages import ArbitrageInput
from app.retries import Retries
from domain.money import NO_USD, Usd, cost_ceil
from domain.opportunity import Opportunity
from domain.pair import Pair
from domain.policy import Bounds, Refusal, Timing
from domain.venue import Mode
from store.advice import DayLeft
from store.failpoints import Point, hit
from store.reviews import Review
from store.states import ReviewVerdict
from workflows import names, options, story
from workflows.arbitrage import ArbitrageWorkflow
from workflows.snapshot import Snapshot

log = logging.getLogger(__name__)


async def start(
    client: Client, task_queue: str, plan: ArbitrageInput
) -> WorkflowHandle[ArbitrageWorkflow, Snapshot]:
    """Start the arbitrage. From the client that also runs the worker its first task comes back
    with the reply. Whatever is started goes by a count of steps, its plan's or the usual one.
    Raises WorkflowAlreadyStartedError for an id that was ever used."""
    plan = replace(plan, rest_after=plan.rest_after or options.REST_AFTER)
    return await client.start_workflow(
        ArbitrageWorkflow.run,
        plan,
        id=names.workflow_id(plan.arb_id, plan.adopted),
        task_queue=task_queue,
        id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
        id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
        request_eager_start=True,
        task_timeout=options.task_timeout(plan.timing),
        static_summary=story.summary(plan.opportunity),
        static_details=story.details(plan),
        search_attributes=story.starting_attributes(plan),
    )


@dataclass(slots=True)
class Advice:
    """The executor's copy of what the gate will ask, refreshed from the journal. Advisory: only
    the gate decides. A pair of less than HIGH confidence is shown and never traded before a
    person has approved its markets."""

    pairs: Mapping[str, Pair] = field(default_factory=dict)
    stopped: Refusal | None = Refusal.DISABLED
    taken: Mapping[str, Refusal] = field(default_factory=dict)
    reviews: Mapping[str, Review] = field(default_factory=dict)
    day: DayLeft | None = None

    def refusal(self, pair_id: str, worst_loss: Usd = NO_USD) -> Refusal | None:
        """Why the gate would refuse a trade of the pair that may lose so much, as far as this copy
        knows."""
        return self.stopped or self._of_day(worst_loss) or self._of_pair(pair_id)

    @property
    def resting(self) -> set[str]:
        """The pairs that nothing is started of, whatever stops all of them."""
        known = {*self.pairs, *self.taken, *self.reviews}
        return {pair_id for pair_id in known if self._of_pair(pair_id) is not None}

    def approval(self, pair: Pair) -> Review | None:
        """The word of a person who found that these very markets ask the same."""
        said = self.reviews.get(pair.pair_id)
        return said if said is not None and said.approves(pair.markets) else None

    def rejection(self, pair_id: str) -> Review | None:
        """The word of a person who rejected the pair, whatever it lists now."""
        said = self.reviews.get(pair_id)
        return said if said is not None and said.verdict is ReviewVerdict.REJECTED else None

    def _of_day(self, worst_loss: Usd) -> Refusal | None:
        if self.day is None:
            return None
        if self.day.trades <= 0:
            return Refusal.DAILY_TRADES_REACHED
        return Refusal.DAILY_LOSS_REACHED if cost_ceil(worst_loss) > self.day.loss else None

    def _of_pair(self, pair_id: str) -> Refusal | None:
        pair = self.pairs.get(pair_id)
        if self.rejection(pair_id) is not None:
            return Refusal.PAIR_REJECTED
        if pair_id in self.taken:
            return self.taken[pair_id]
        if pair is None or not pair.confidence.needs_approval or self.approval(pair) is not None:
            return None
        return Refusal.PAIR_NOT_REVIEWED


class Intake:
    """Starts one arbitrage per opportunity that nothing speaks against."""

    def __init__(
        self, client: Client, task_queue: str, mode: Mode, bounds: Bounds, timing: Timing
    ) -> None:
        self._client = client
        self._task_queue = task_queue
        self._mode = mode
        self._bounds = bounds
        self._timing = timing
        self.advice = Advice()
        self.retries = Retries()
        self._held_back: dict[str, Opportunity] = {}
        self.closed = False
        self.started = 0
        self.refused: Counter[Refusal] = Counter()

    def refusal(self, opportunity: Opportunity) -> Refusal | None:
        """Why it would not be started now; None where it would."""
        pair_id, worst = opportunity.pair_id, self._bounds.loss_budget(opportunity.dearer_outlay)
        return self.advice.refusal(pair_id, worst) or self.retries.refusal(pair_id)

    def lifted(self) -> set[str]:
        """The pairs that something was held back of, or begun in vain, and that may be tried again
        now; each is named once."""
        free = {k for k, held in self._held_back.items() if self.refusal(held) is None}
        for pair_id in free:
            del self._held_back[pair_id]
        return free | self.retries.due()

    async def take(self, opportunity: Opportunity) -> None:
        """Start the arbitrage. A second start of the same opportunity is no error."""
        if self.closed:
            return
        pair_id, refusal = opportunity.pair_id, self.refusal(opportunity)
        if refusal is not None:
            self.refused[refusal] += 1
            self._held_back[pair_id] = opportunity
            return
        self._held_back.pop(pair_id, None)
        hit(Point.FOUND)
        arb_id = names.arb_id(opportunity.key)
        plan = ArbitrageInput(arb_id, opportunity, self._mode, self._bounds, self._timing)
        hit(Point.BEFORE_START)
        try:
            await start(self._client, self._task_queue, plan)
        except WorkflowAlreadyStartedError:
            # Whatever became of it: the next look finds its pair open, or reads the books anew.
            log.info("%s was started before", arb_id)
            self.retries.failed(pair_id)
        except RPCError as trouble:
            # Nothing was reserved and nothing left. Books that stay as they are tell nobody again.
            log.warning("%s could not be started: %s", arb_id, trouble)
            self.retries.failed(pair_id)
        else:
            self.started += 1
            self.retries.started(pair_id, arb_id)
            hit(Point.STARTED)
