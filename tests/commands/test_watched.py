"""Everything that the shipped dashboard and alert rules read is said by a running system."""

import time

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.deploy.watched import queries, selected
from tests.support.stack import StackUnderTest

SECONDS = 60
Samples = dict[str, list[dict[str, str]]]
pytestmark = [pytest.mark.slow, pytest.mark.temporal, pytest.mark.timeout(300)]


def samples(stack: StackUnderTest) -> Samples:
    """The label sets of every metric, as Prometheus would read them."""
    answer = httpx.get(f"{stack.ready['urls']['api']}/metrics", trust_env=False, timeout=20)
    assert answer.status_code == httpx.codes.OK
    found: Samples = {}
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            found.setdefault(sample.name, []).append(dict(sample.labels))
    return found


def missing(said: Samples) -> list[str]:
    """What is read and not said, with what it is read for."""
    return [
        f"{query.title}: {one}"
        for query in queries()
        for one in selected(query.parsed)
        if not any(
            dict(one.wanted).items() <= labels.items() and one.grouped <= labels.keys()
            for labels in said.get(one.metric, ())
        )
    ]


def test_the_dashboard_and_the_alerts_read_nothing_that_is_not_said(stack: StackUnderTest) -> None:
    stack.open()
    pair = stack.pair()
    stack.fault("kalshi", pair, "buy", "kill", times=0)
    stack.edge(pair)
    stack.stuck()
    deadline = time.monotonic() + SECONDS
    while lacking := missing(samples(stack)):
        assert time.monotonic() < deadline, "\n".join(lacking)
        time.sleep(0.5)
    stack.edge(pair, -2)
    stack.mend()
