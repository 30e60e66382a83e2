"""Seeded arbitrages in virtual time keep every promise, and are the same each time."""

from tests.virtual.campaign import campaign, run_seed

SEEDS = range(1, 401)


def test_no_seed_breaks_a_promise_and_every_ending_is_seen() -> None:
    heard: list[str] = []
    found = campaign(1, SEEDS, heard.append)
    assert found.violations == heard == []
    assert found.never() == []
    assert found.drift == 0


def test_a_seed_gives_the_same_trace_each_time() -> None:
    for seed in (3, 7, 16, 68, 100):
        first, again = run_seed(seed), run_seed(seed)
        assert first.trace == again.trace
        assert first.digest == again.digest
        assert len(first.trace) > 5
