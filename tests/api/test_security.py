"""Who and what is kept out, as tables: each row is one request and its answer."""

from collections.abc import AsyncIterator

import pytest
from temporalio.client import Client
from websockets.exceptions import InvalidStatus

from api.auth import hash_password
from api.guard import BODY_MAX
from store import audit, credentials
from store.audit import Act
from store.credentials import CredentialKind
from store.journal import Journal
from store.states import Scope
from tests.api.harness import Running, serving, wall_ms, with_login

PASSWORD = "correct horse battery"
HASH = hash_password(PASSWORD)
KILL = "/api/v1/executor/kill"

# a request that changes nothing it should not | headers | the answer
REQUESTS = """
    GET /healthz             | Host: evil.example                        | 421
    GET /healthz             | Host: 127.0.0.1.evil.example              | 421
    GET /healthz             | Host: [                                   | 421
    GET /healthz             | Host: localhost                           | 200
    GET /healthz             | Origin: http://evil.example               | 200
    POST /api/v1/executor/kill | Origin: http://evil.example             | 403
    POST /api/v1/executor/kill | Origin: null                            | 403
    POST /api/v1/executor/kill | Origin: http://[                        | 403
    POST /api/v1/executor/kill | Origin: http://localhost:1              | 403
    POST /api/v1/executor/kill | Sec-Fetch-Site: cross-site              | 403
    POST /api/v1/executor/kill | Sec-Fetch-Site: same-site               | 403
    POST /api/v1/executor/kill | Content-Type: text/plain                | 415
    POST /api/v1/executor/kill | Content-Type: application/x-www-form-urlencoded | 415
    POST /api/v1/executor/kill | Sec-Fetch-Site: same-origin             | 202
"""
# scope | request | the answer
SCOPES = """
    none  | GET /api/v1/settings               | 401
    none  | POST /api/v1/executor/pause        | 401
    none  | GET /api/v1/audit                  | 401
    none  | GET /metrics                       | 401
    none  | GET /healthz                       | 200
    read  | GET /api/v1/settings               | 200
    read  | POST /api/v1/executor/pause        | 403
    read  | POST /api/v1/executor/kill         | 403
    trade | POST /api/v1/executor/pause        | 200
    trade | POST /api/v1/executor/kill         | 202
    trade | POST /api/v1/executor/resume       | 403
    admin | POST /api/v1/executor/resume       | 202
"""


def rows(table: str) -> list[tuple[str, ...]]:
    """The cells of each line."""
    lines = [line for line in table.splitlines() if line.strip()]
    return [tuple(cell.strip() for cell in line.split("|")) for line in lines]


@pytest.mark.parametrize(("request_line", "header", "status"), rows(REQUESTS))
async def test_a_request_from_elsewhere_is_refused(
    api: Running, request_line: str, header: str, status: str
) -> None:
    method, path = request_line.split()
    name, value = header.split(": ")
    body = b"{}" if method == "POST" else b""
    headers = {"Content-Type": "application/json"} if body else {}
    sent = api.http.build_request(method, path, content=body, headers=headers | {name: value})
    answer = await api.http.send(sent)
    assert answer.status_code == int(status), answer.text
    halted = (await api.journal.run_state()).halted
    assert halted is (status == "202")


async def test_a_body_is_bounded_with_and_without_a_length(api: Running) -> None:
    headers = {"Content-Type": "application/json"}
    body = b" " * (BODY_MAX + 1)

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 4_096):
            yield body[start : start + 4_096]

    whole = await api.http.post(KILL, content=body, headers=headers)
    cut = await api.http.post(KILL, content=chunks(), headers=headers)
    assert whole.status_code == 413
    assert cut.status_code in {400, 413}
    assert not (await api.journal.run_state()).halted


async def test_every_answer_carries_the_policy(api: Running) -> None:
    for path in ("/", "/executor", "/login", "/docs", "/api/v1/status", "/nowhere"):
        answer = await api.http.get(path)
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
        assert ("require-trusted-types-for 'script'" in policy) is (path != "/docs")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"


async def _token(journal: Journal, scope: Scope) -> str:
    act = Act("test", "test", wall_ms())
    secret = f"secret-{scope}"
    await journal.write(
        act.at_ms,
        lambda s: credentials.add(s, secret, CredentialKind.TOKEN, scope.value, scope, act),
    )
    return secret


@pytest.mark.parametrize(("scope", "request_line", "status"), rows(SCOPES))
async def test_a_token_does_what_its_scope_allows(
    journal: Journal, temporal_client: Client, scope: str, request_line: str, status: str
) -> None:
    method, path = request_line.split()
    async with serving(journal, temporal_client, with_login()) as api:
        headers = {}
        if scope != "none":
            headers["Authorization"] = f"Bearer {await _token(journal, Scope(scope))}"
        body = {"confirm": "RESUME"} if path.endswith("resume") else {}
        sent = body if method == "POST" and not path.endswith("pause") else None
        answer = await api.http.request(method, path, json=sent, headers=headers)
        assert answer.status_code == int(status), answer.text
        acts = await journal.read(lambda s: [row.action for row in audit.page(s, 50)])
        allowed = status.startswith("2") and method == "POST" and not path.endswith("pause")
        assert bool({"halt", "resume"} & set(acts)) is allowed


async def test_a_password_opens_a_session_that_can_be_ended(
    journal: Journal, temporal_client: Client
) -> None:
    options = with_login(password_hash=HASH)
    async with serving(journal, temporal_client, options) as api:
        assert (await api.http.get("/executor")).headers["location"] == "/login?next=/executor"
        wrong = await api.http.post("/api/v1/login", json={"password": "wrong"})
        assert (wrong.status_code, "set-cookie" in wrong.headers) == (401, False)
        right = await api.http.post("/api/v1/login", json={"password": PASSWORD})
        cookie = right.headers["set-cookie"]
        assert right.status_code == 200
        assert {"HttpOnly", "SameSite=strict"} <= set(cookie.split("; "))
        assert (await api.http.get("/api/v1/settings")).status_code == 200
        value = cookie.split(";")[0]
        async with api.page(Cookie=value) as page:
            assert (await page.next())["type"] == "init"
        await api.http.post("/api/v1/logout")
        api.http.cookies.clear()
        gone = await api.http.get("/api/v1/settings", headers={"Cookie": value})
        assert gone.status_code == 401


async def test_passwords_cannot_be_tried_fast(journal: Journal, temporal_client: Client) -> None:
    async with serving(journal, temporal_client, with_login(password_hash=HASH)) as api:
        answers = [
            (await api.http.post("/api/v1/login", json={"password": "wrong"})).status_code
            for _ in range(7)
        ]
        assert answers == [401] * 5 + [429] * 2
        refused = await journal.read(
            lambda s: [row.action for row in audit.page(s, 50)].count("login_refused")
        )
        assert refused == 5


async def test_a_link_logs_in_once(journal: Journal, temporal_client: Client) -> None:
    act = Act("operator", "cli", wall_ms())
    await journal.write(
        act.at_ms,
        lambda s: credentials.add(
            s, "link", CredentialKind.LINK, "operator", Scope.ADMIN, act, 60_000
        ),
    )
    async with serving(journal, temporal_client, with_login()) as api:
        first = await api.http.get("/login?token=link")
        assert (first.status_code, first.headers["location"]) == (303, "/executor")
        assert (await api.http.get("/api/v1/settings")).status_code == 200
        api.http.cookies.clear()
        assert (await api.http.get("/login?token=link")).status_code == 200
        assert (await api.http.get("/api/v1/settings")).status_code == 401


async def test_a_socket_without_login_is_closed_with_4401(
    journal: Journal, temporal_client: Client
) -> None:
    async with serving(journal, temporal_client, with_login()) as api:
        async with api.page() as page:
            assert await page.closed() == 4401
        with pytest.raises(InvalidStatus):
            async with api.page(Origin=""):
                pass
        token = await _token(journal, Scope.READ)
        async with api.page(Origin="", Authorization=f"Bearer {token}") as page:
            assert (await page.next())["type"] == "init"
            error = await page.ask("error", action="toggle_enabled", value=False)
            assert error["code"] == "unauthorised"


async def test_a_revoked_login_ends_its_open_pages(
    journal: Journal, temporal_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.socket.HEARTBEAT_SECONDS", 0.1)
    async with serving(journal, temporal_client, with_login()) as api:
        token = await _token(journal, Scope.READ)
        async with api.page(Origin="", Authorization=f"Bearer {token}") as page:
            await page.next("init")
            act = Act("operator", "cli", wall_ms())
            await journal.write(act.at_ms, lambda s: credentials.revoke(s, "read", act))
            assert await page.closed() == 4401


async def test_hostile_titles_are_text_everywhere(api: Running) -> None:
    answer = await api.http.get("/login?next=%22%3E%3Cscript%3Ealert(1)%3C/script%3E")
    assert "<script>alert" not in answer.text
    missing = await api.http.get("/api/v1/arbitrages/%3Cscript%3E")
    assert missing.headers["content-type"] == "application/problem+json"
