"""How often a password can be tried, from how many addresses, and who is told of it."""

import pytest
from temporalio.client import Client

from api import lockout
from api.auth import LOGIN_BURST, LOGINS_BURST, Auth
from api.options import ApiOptions
from api.problems import Problem
from store import alarms, credentials
from store.audit import Act
from store.credentials import CredentialKind
from store.errors import JournalBusy
from store.journal import Journal
from store.states import Scope
from tests.api.harness import Running, serving, wall_ms, with_login

BEHIND_TLS = with_login(secure=True)


async def tried(api: Running, times: int) -> list[int]:
    """Wrong passwords, each said to come from another address; what they are answered."""
    found = []
    for number in range(times):
        headers = {"X-Forwarded-For": f"203.0.113.{number}"}
        body = {"password": "wrong"}
        answer = await api.http.post("/api/v1/login", json=body, headers=headers)
        found.append(answer.status_code)
    return found


async def lockouts(journal: Journal) -> list[str]:
    """What the open alarms say of logins."""
    found = await journal.read(alarms.open_alarms)
    return [row.detail for row in found if row.code == "LOGIN_LOCKOUT"]


async def test_a_header_makes_nobody_somebody_else(
    journal: Journal, temporal_client: Client
) -> None:
    async with serving(journal, temporal_client, with_login()) as api:
        assert await tried(api, LOGIN_BURST + 1) == [401] * LOGIN_BURST + [429]
    (said,) = await lockouts(journal)
    assert "127.0.0.1" in said


async def test_all_addresses_together_have_a_limit_too(
    journal: Journal, temporal_client: Client
) -> None:
    """Behind a proxy of ours the header counts: many addresses get no further for it."""
    async with serving(journal, temporal_client, BEHIND_TLS) as api:
        assert await tried(api, LOGINS_BURST + 1) == [401] * LOGINS_BURST + [429]
        (said,) = await lockouts(journal)
        assert "all addresses" in said
        act = Act("operator", "cli", wall_ms())
        await journal.write(
            act.at_ms,
            lambda s: credentials.add(
                s, "link", CredentialKind.LINK, "operator", Scope.ADMIN, act, 60_000
            ),
        )
        link = await api.http.get("/login?token=link")
        assert link.status_code == 303, "whoever has the machine comes in all the same"


class _Clock:
    def __init__(self) -> None:
        self.now_ms = wall_ms()

    def __call__(self) -> int:
        return self.now_ms


def auth(journal: Journal, clock: _Clock, options: ApiOptions = BEHIND_TLS) -> Auth:
    return Auth(journal, options, clock)


async def refused(asked: Auth, peer: str) -> int:
    """The status of a wrong password."""
    with pytest.raises(Problem) as problem:
        await asked.log_in("wrong", peer)
    return problem.value.status


async def test_the_alarm_is_over_once_nobody_has_tried_for_a_while(journal: Journal) -> None:
    clock = _Clock()
    asked = auth(journal, clock)
    for _ in range(LOGIN_BURST + 3):
        await refused(asked, "203.0.113.7")
    (row,) = await journal.read(alarms.open_alarms)
    assert row.repeats == 0, "one row a minute, however fast somebody tries"
    clock.now_ms += lockout.QUIET_MS - 1
    await lockout.settle(journal, [row], clock())
    assert await lockouts(journal)
    clock.now_ms += 1
    await lockout.settle(journal, [row], clock())
    assert await lockouts(journal) == []


async def test_an_alarm_that_cannot_be_written_lets_nobody_try_faster(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def busy(*_: object) -> int:
        raise JournalBusy("another process holds the lock")

    asked = auth(journal, _Clock())
    for _ in range(LOGIN_BURST):
        assert await refused(asked, "203.0.113.7") == 401
    with monkeypatch.context() as patched:
        patched.setattr(journal, "raise_alarm", busy)
        assert await refused(asked, "203.0.113.7") == 429
    assert await refused(asked, "203.0.113.7") == 429
    assert await lockouts(journal), "it is told with the next one"
