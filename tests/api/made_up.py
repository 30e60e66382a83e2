"""Requests that Schemathesis makes up: python -m tests.api.made_up URL KNOWN < HEADERS.

On stdin are the headers of every request; KNOWN is the id of an arbitrage that is there.
Prints, in JSON, how often each route answered with which status; a status from 500 up, or a refusal
that is no problem+json, ends it with the request that did it. It is a process of its own because
Hypothesis wants the random numbers of a process for itself.
"""

import json
import sys
from collections import Counter
from typing import Any

import requests
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode, openapi
from schemathesis.core.result import Ok
from schemathesis.generation.case import Case as AnyCase
from schemathesis.schemas import APIOperation

SEED = 7
EXAMPLES = 12
"""Requests per route."""
KNOWN_IDS = {"arb_id", "position_id"}
MADE_UP = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
Operation = APIOperation[Any, Any, Any, Any]
Case = AnyCase[Operation]


def storm(url: str, headers: dict[str, str], known: str) -> Counter[tuple[str, int]]:
    """Send made-up requests to every route."""
    answers: Counter[tuple[str, int]] = Counter()
    with requests.Session() as session:
        session.trust_env = False
        schema = session.get(f"{url}/api/v1/openapi.json", timeout=30).json()

        @MADE_UP
        @seed(SEED)
        def send(case: Case) -> None:
            answer = case.call(base_url=url, session=session, headers=headers, timeout=60)
            answers[case.operation.label, answer.status_code] += 1
            told = f"{case.as_curl_command()}\nanswered {answer.status_code}: {answer.text[:400]}"
            assert answer.status_code < 500, told
            if answer.status_code >= 400:
                assert "application/problem+json" in str(answer.headers["content-type"]), told
                assert json.loads(answer.content)["detail"], told

        for found in openapi.from_dict(schema).get_all_operations():
            assert isinstance(found, Ok), found
            given(case=_cases(found.ok(), known))(send)()
    return answers


def _cases(operation: Operation, known: str) -> st.SearchStrategy[Case]:
    """What fits the description, what does not, and what names an arbitrage that there is."""
    ways = [operation.as_strategy(generation_mode=GenerationMode.POSITIVE)]
    if any(True for _ in operation.iter_parameters()) or operation.body:
        ways.append(operation.as_strategy(generation_mode=GenerationMode.NEGATIVE))
    ids = [one.name for one in operation.path_parameters if one.name in KNOWN_IDS]
    if ids:
        ways.append(operation.as_strategy(path_parameters=dict.fromkeys(ids, known)))
    return st.one_of(ways)


if __name__ == "__main__":
    counted = storm(sys.argv[1], json.load(sys.stdin), sys.argv[2])
    json.dump([[label, status, n] for (label, status), n in counted.items()], sys.stdout)
