"""What the venue refuses, and in which words; each row is one order against 0.45 / 0.46, 0.47."""

import pytest

from tests.sim.polymarket.harness import Sim, running

FINE = "tick=0.001"
REFUSALS = """
    side type maker     taker     given          message
    BUY  FOK  4.605     10        -              invalid amounts, the market buy orders maker amount supports a max accuracy of 2 decimals
    BUY  FOK  4.60      9.99999   -              taker amount a max of 4 decimals
    SELL FOK  10.001    4.5       -              invalid amounts, the market sell orders maker amount supports a max accuracy of 2 decimals
    SELL FOK  10        4.50001   -              taker amount a max of 4 decimals
    BUY  FOK  9.98      10.13197  tick=0.001     taker amount a max of 4 decimals
    BUY  GTC  5.00000   10.001    -              invalid amounts, the limit buy orders
    BUY  FOK  4.65      10        -              Price (0.465) breaks minimum tick size rule: 0.01
    BUY  GTC  5         8.62      -              Price (0.580046) breaks minimum tick size rule: 0.01
    BUY  GTC  4.60      9.99      -              breaks minimum tick size rule: 0.01
    BUY  FOK  10        10        -              Price (1) out of range, min: 0.01 - max: 0.99
    BUY  GTC  1.80      4         -              Size (4) lower than the minimum: 5
    SELL GTC  4         3.20      -              Size (4) lower than the minimum: 5
    BUY  FOK  0.92      2         -              invalid amount for a marketable BUY order ($0.92), min size: $1
    BUY  FOK  4.60      10        expires=soon   invalid expiration
    BUY  GTD  5         20        expires=soon   invalid expiration
    BUY  GTC  5         20        expires=later  invalid expiration
    BUY  GTC  4.70      10        post_only      invalid post-only order: order crosses book
    BUY  FOK  4.60      10        post_only      invalid post-only order
    BUY  FOK  46.46     101       -              FOK orders are fully filled or killed.
    BUY  FAK  4.40      10        -              no orders found to match with FAK order.
    SELL FOK  10        4.6       -              not enough balance / allowance: the balance is not enough -> balance: 0, order amount: 10000000
    BUY  FOK  20000     50000     -              not enough balance / allowance: the balance is not enough -> balance: 10000000000
    BUY  FOK  4.60      10        banned         address banned
    BUY  FOK  4.60      10        closed_only    address in closed only mode
    BUY  FOK  4.60      10        closed_market  the market is not yet ready to process new orders
"""  # noqa: E501 - a table


def rows(table: str) -> list[list[str]]:
    lines = [line.split(maxsplit=5) for line in table.strip().splitlines()[1:]]
    assert all(len(line) == 6 for line in lines), "every row needs six columns"
    return lines


def prepare(sim: Sim, given: str) -> dict[str, object]:
    """Put the venue into the state of a row; returns what the order itself must carry."""
    name, _, value = given.partition("=")
    match name:
        case "tick":
            sim.knobs(markets={"p01": {"tick": value}})
        case "banned" | "closed_only":
            sim.knobs(**{name: True})
        case "closed_market":
            sim.knobs(markets={"p01": {"accepting": False}})
        case "post_only":
            return {"post_only": True}
        case "expires":
            seconds = 60 if value == "soon" else 3_600
            return {"expiration": str(sim.world.clock() // 1_000_000_000 + seconds)}
        case _:
            assert name == "-", f"unknown state {name}"
    return {}


@pytest.mark.parametrize(
    ("side", "order_type", "maker", "taker", "given", "message"),
    rows(REFUSALS),
    ids=lambda cell: cell.replace(" ", "-")[:40],
)
async def test_the_venue_refuses(
    side: str, order_type: str, maker: str, taker: str, given: str, message: str, sim: Sim
) -> None:
    extra = prepare(sim, given)
    before = sim.book.levels("bid"), sim.book.levels("ask")
    answer = await sim.trade(side, maker, taker, type=order_type, **extra)
    assert answer.status_code == 400
    assert message in answer.json()["error"]
    assert (sim.book.levels("bid"), sim.book.levels("ask")) == before
    assert sim.cash() == 10_000_000_000


IDENTITY = """
    field          value                                       status message
    owner          someone-else                                400    the order owner has to be the owner of the API KEY
    signer         0x1111111111111111111111111111111111111111  400    the order signer address has to be the address of the API KEY
    maker          0x1111111111111111111111111111111111111111  400    maker address not allowed, please use the deposit wallet flow
    tokenId        12345                                       404    No orderbook exists for the requested token id
    makerAmount    4700000                                     400    invalid signature
    salt           "7"                                         400    Invalid order payload
    side           0                                           400    Invalid order payload
    takerAmount    0                                           400    Invalid order payload
    makerAmount    4.6                                         400    Invalid order payload
    metadata       0x00                                        400    Invalid order payload
    orderType      IOC                                         400    Invalid order payload
    nonce          0                                           400    Invalid order payload
"""  # noqa: E501 - a table


@pytest.mark.parametrize(
    ("name", "value", "status", "message"),
    [line.split(maxsplit=3) for line in IDENTITY.strip().splitlines()[1:]],
)
async def test_an_altered_order_is_not_the_callers(
    name: str, value: str, status: str, message: str, sim: Sim
) -> None:
    payload = sim.payload("BUY", "4.60", "10")
    place = payload if name in ("owner", "orderType") else payload["order"]
    place[name] = 0 if (name, value) == ("side", "0") else value.strip('"')
    answer = await sim.post(payload)
    assert (answer.status_code, answer.json()["error"]) == (int(status), message)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("maker", 12),
        ("maker", "0x12"),
        ("signer", None),
        ("salt", 1.5),
        ("salt", 2**53),
        ("salt", True),
        ("signatureType", 9),
        ("expiration", "-1"),
        ("makerAmount", str(2**256)),
        ("tokenId", 12),
        ("side", []),
        ("signature", "nohex"),
        ("builder", "0x" + "00" * 31),
    ],
)
async def test_a_malformed_member_is_an_invalid_payload(name: str, value: object, sim: Sim) -> None:
    payload = sim.payload("BUY", "4.60", "10")
    payload["order"][name] = value
    if name == "salt" and value == 2**53:
        payload = sim.payload("BUY", "4.60", "10", salt=2**53)
    answer = await sim.post(payload)
    assert (answer.status_code, answer.json()) == (400, {"error": "Invalid order payload"})


@pytest.mark.parametrize("body", [[], {}, {"order": []}, "order", None, 5])
async def test_a_body_that_is_no_order_is_an_invalid_payload(body: object, sim: Sim) -> None:
    answer = await sim.post(body)
    assert (answer.status_code, answer.json()) == (400, {"error": "Invalid order payload"})


WRAPPED = """
    part             from to
    inner            0    65
    separator        65   97
    contents         97   129
    type             129  315
    length           315  317
"""


@pytest.mark.parametrize(
    ("first", "last"), [line.split()[1:] for line in WRAPPED.strip().splitlines()[1:]]
)
async def test_every_part_of_a_wrapped_signature_counts(first: str, last: str, sim: Sim) -> None:
    payload = sim.payload("BUY", "4.60", "10")
    raw = bytearray.fromhex(payload["order"]["signature"][2:])
    assert len(raw) == 317
    raw[int(first)] ^= 1
    for changed in (raw, raw[: int(first)], raw[int(first) : int(last)]):
        payload["order"]["signature"] = "0x" + changed.hex()
        answer = await sim.post(payload)
        assert (answer.status_code, answer.json()) == (400, {"error": "invalid signature"})


VERSIONS = """
    version exchange                                    message
    1       0xE111180000d2663C0091e4f400237545B87B996B  order_version_mismatch
    3       0xe3333700cA9d93003F00f0F71f8515005F6c00Aa  order_version_mismatch
    2       0xe2222d279d744050d28e00520010520000310F59  invalid signature
    2       0x4bFb41d5B3570DeFd03C39a9A4D8dE6Bd8B8982E  invalid signature
"""


@pytest.mark.parametrize(
    ("version", "exchange", "message"),
    [
        line.split() if "invalid" not in line else line.split(maxsplit=2)
        for line in VERSIONS.strip().splitlines()[1:]
    ],
)
async def test_a_signature_for_another_exchange_is_refused(
    version: str, exchange: str, message: str, sim: Sim
) -> None:
    answer = await sim.trade("BUY", "4.60", "10", version=version, exchange=exchange)
    assert (answer.status_code, answer.json()["error"]) == (400, message)


async def test_an_order_of_the_retired_shape_is_a_version_mismatch(sim: Sim) -> None:
    payload = sim.payload("BUY", "4.60", "10")
    for name in ("timestamp", "metadata", "builder"):
        del payload["order"][name]
    payload["order"] |= {"taker": "0x" + "00" * 20, "nonce": "0", "feeRateBps": "0"}
    answer = await sim.post(payload)
    assert (answer.status_code, answer.json()) == (400, {"error": "order_version_mismatch"})


async def test_a_plain_account_can_be_sent_to_the_deposit_wallet_flow() -> None:
    from sim.polymarket.orders import SignatureType

    async with running(SignatureType.EOA, eoa_allowed=False) as sim:
        answer = await sim.trade("BUY", "4.60", "10")
        assert "please use the deposit wallet flow" in answer.json()["error"]


async def test_a_wallet_that_is_not_deployed_cannot_sign(sim: Sim) -> None:
    sim.knobs(wallet_deployed=False)
    answer = await sim.trade("BUY", "4.60", "10")
    assert "signer address has to be the address of the API KEY" in answer.json()["error"]
    assert (await sim.http.get("/deployed?address=0x1&type=WALLET")).json() == {"deployed": False}


STATES = """
    state    makes
    matched  BUY FOK 4.60 10
    killed   BUY FOK 46.46 101
    live     BUY GTC 4.40 10
    refused  BUY FOK 0.92 2
"""


@pytest.mark.parametrize(
    ("state", "order"), [line.split(maxsplit=1) for line in STATES.strip().splitlines()[1:]]
)
async def test_the_same_order_again_is_duplicated_whatever_became_of_it(
    state: str, order: str, sim: Sim
) -> None:
    side, order_type, maker, taker = order.split()
    payload = sim.payload(side, maker, taker, type=order_type)
    await sim.post(payload)
    cash = sim.cash()
    again = await sim.post(payload)
    assert again.status_code == 400
    assert again.json()["error"].endswith("is invalid. Duplicated.")
    assert (sim.cash(), sim.venue.state()["duplicates"]) == (cash, 1)


async def test_five_decimal_takers_pass_when_the_rule_is_relaxed(sim: Sim) -> None:
    sim.knobs(strict_market_decimals=False, markets={"p01": {"tick": "0.001"}})
    sim.quote({}, {"0.985": "20"})
    answer = await sim.trade("BUY", "9.98", "10.13197")
    assert (answer.status_code, answer.json()["makingAmount"]) == (200, "9.98")
