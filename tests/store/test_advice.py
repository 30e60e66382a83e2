"""What an executor's advisory copy reads is what the gate goes by."""

from domain.money import usd
from domain.policy import Refusal
from domain.venue import Mode
from store.advice import day_left, verdicts
from store.codec import utc_day
from store.journal import Journal
from tests.store.builders import NOW, a_request, an_opportunity

DAY_MS = 86_400_000


async def test_the_day_is_counted_as_the_gate_counts_it(journal: Journal) -> None:
    plan = an_opportunity("n1")
    request = a_request(plan, worst_loss="1.5")
    before = await journal.read(lambda s: day_left(s, Mode.SIM, NOW))
    await journal.reserve(request)
    after = await journal.read(lambda s: day_left(s, Mode.SIM, NOW))
    assert (before.trades - after.trades, before.loss - after.loss) == (1, usd("1.5"))
    assert utc_day(NOW) != utc_day(NOW + DAY_MS)
    assert await journal.read(lambda s: day_left(s, Mode.SIM, NOW + DAY_MS)) == before
    second = a_request(an_opportunity("n2"), worst_loss="100000")
    await journal.reserve(second)
    said = await journal.read(lambda s: verdicts(s, [request.arb_id, second.arb_id, "arb-none"]))
    assert said == {request.arb_id: None, second.arb_id: Refusal.DAILY_LOSS_REACHED}
