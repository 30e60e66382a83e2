"""Who may ask: both signature schemes, the four refusals, scopes and token buckets."""

import pytest

from tests.sim.kalshi.harness import ROOT, Member, headers

BALANCE = ROOT + "/portfolio/balance"


async def _status(member: Member, signature: dict[str, str], query: str = "") -> tuple[int, object]:
    answer = await member.http.get(member.origin + BALANCE + query, headers=signature)
    error = answer.json().get("error", {})
    return answer.status_code, error.get("details", error.get("code"))


@pytest.mark.parametrize("name", ["rsa", "ed25519"])
@pytest.mark.parametrize("skew_ms", [-10_000, 0, 5_000])
async def test_both_schemes_are_accepted_within_the_clock_window(
    member: Member, name: str, skew_ms: int
) -> None:
    signature = headers(member.keys[name], "GET", BALANCE, skew_ms=skew_ms)
    assert (await _status(member, signature, "?exchange_index=0"))[0] == 200


@pytest.mark.parametrize("skew_ms", [-30_000, 60_000])
async def test_a_clock_too_far_off_is_refused(member: Member, skew_ms: int) -> None:
    signature = headers(member.keys["rsa"], "GET", BALANCE, skew_ms=skew_ms)
    assert await _status(member, signature) == (401, "header_timestamp_expired")


async def test_the_short_path_the_query_and_another_method_do_not_verify(member: Member) -> None:
    for method, path in [
        ("GET", "/portfolio/balance"),
        ("GET", BALANCE + "?exchange_index=0"),
        ("POST", BALANCE),
    ]:
        signature = headers(member.keys["ed25519"], method, path)
        found = await _status(member, signature, "?exchange_index=0")
        assert found == (401, "INCORRECT_API_KEY_SIGNATURE")


async def test_a_pss_salt_of_maximum_length_does_not_verify(member: Member) -> None:
    signature = headers(member.keys["rsa"], "GET", BALANCE, salt=222)
    assert await _status(member, signature) == (401, "INCORRECT_API_KEY_SIGNATURE")


async def test_an_unknown_key_and_a_missing_signature_are_named(member: Member) -> None:
    signature = headers(member.keys["rsa"], "GET", BALANCE)
    unknown = {**signature, "KALSHI-ACCESS-KEY": "00000000-0000-4000-8000-000000000000"}
    assert await _status(member, unknown) == (401, "NOT_FOUND")
    del signature["KALSHI-ACCESS-SIGNATURE"]
    assert await _status(member, signature) == (401, "signature_is_missing_from_headers")


async def test_a_key_that_may_only_read_cannot_trade(member: Member) -> None:
    assert (await member.ask("GET", "/portfolio/balance", key="read_only")).status_code == 200
    answer = await member.ask("POST", "/portfolio/events/orders", {}, key="read_only")
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "forbidden")


async def test_an_empty_write_bucket_refuses_and_places_nothing(member: Member) -> None:
    await member.book([], [["0.55", "100"]])
    await member.knobs(write_rate=1, write_capacity=25)
    answers = [await member.order(count="1") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201, 201, 429]
    assert answers[2].json()["error"]["code"] == "too_many_requests"
    # routing by ticker alone bills every shard, and this one is empty
    assert (await member.order(count="1", exchange_index=None)).status_code == 429
    orders = (await member.get("/portfolio/orders"))["orders"]
    assert len(orders) == 2


async def test_an_empty_read_bucket_refuses(member: Member) -> None:
    await member.knobs(read_rate=1, read_capacity=10)
    assert (await member.ask("GET", "/portfolio/balance")).status_code == 200
    assert (await member.ask("GET", "/portfolio/balance")).status_code == 429


async def test_public_paths_need_no_signature(member: Member) -> None:
    for path in ("/markets", "/events", "/series", "/exchange/status", "/account/endpoint_costs"):
        assert (await member.ask("GET", path, signed=False)).status_code == 200, path
    assert (await member.ask("GET", "/account/limits", signed=False)).status_code == 401
