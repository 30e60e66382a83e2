"""Which refusals prove that nothing was matched."""

import re

import pytest

from domain.order import NotFilled, Unknown
from venues.polymarket.errors import refusal

ID = "0x" + "ab" * 32
TABLE = f"""
    status  text                                                                        meaning
    400     order couldn't be fully filled. FOK orders are fully filled or killed.      fok_not_filled
    400     no orders found to match with FAK order. FAK orders are partially filled.   fok_not_filled
    500     FOK orders are filled or killed                                             fok_not_filled
    400     not enough balance / allowance                                              insufficient_balance
    400     not enough balance / allowance: the balance is not enough -> balance: 0     insufficient_balance
    400     order {ID} is invalid. Price (0.585) breaks minimum tick size rule: 0.01    invalid_order
    400     order {ID} is invalid. Size (1.08) lower than the minimum: 5                invalid_order
    400     invalid amount for a marketable BUY order ($0.5), min size: $1              invalid_order
    400     order_version_mismatch                                                      invalid_order
    400     invalid signature                                                           unauthorised
    400     the order owner has to be the owner of the API KEY                          unauthorised
    400     maker address not allowed, please use the deposit wallet flow               unauthorised
    401     Unauthorized/Invalid api key                                                unauthorised
    400     '0xabc' address banned                                                      account_restricted
    400     '0xabc' address in closed only mode                                         account_restricted
    403     <html>Attention Required! Cloudflare</html>                                 account_restricted
    400     the market is not yet ready to process new orders                           market_closed
    404     No orderbook exists for the requested token id                              market_closed
    425     service not ready                                                           venue_closed
    503     Trading is currently disabled                                               venue_closed
    503     Trading is currently cancel-only. New orders are refused                    venue_closed
    503     post-only mode: only post-only orders and cancels are allowed               venue_closed
    429     Too Many Requests                                                           rate_limited
    400     order {ID} is invalid. Duplicated.                                          unknown
    400     something else about FOK orders are fully filled or killed.                 unknown
    400     order couldn't be fully filled                                              unknown
    401     Unauthorized by a proxy                                                     unknown
    404     not found                                                                   unknown
    409     conflict                                                                    unknown
    500     order timed out                                                             unknown
    500     could not run the execution                                                 unknown
    500     not enough balance / allowance                                              unknown
    502     Bad Gateway                                                                 unknown
    503     Service Unavailable                                                         unknown
    520     <html>Web server is returning an unknown error</html>                       unknown
"""  # noqa: E501
ROWS = [re.split(r"\s{2,}", line.strip()) for line in TABLE.strip().splitlines()[1:]]


@pytest.mark.parametrize(("status", "text", "meaning"), ROWS)
def test_a_refusal_counts_only_when_status_and_whole_text_are_known(
    status: str, text: str, meaning: str
) -> None:
    answer = refusal(int(status), text)
    if meaning == "unknown":
        assert isinstance(answer, Unknown)
        assert f"HTTP {status}" in answer.evidence
    else:
        assert isinstance(answer, NotFilled)
        assert answer.rejection.value == meaning
        assert f"HTTP {status}" in answer.detail


def test_a_page_of_foreign_text_is_cut_in_the_evidence() -> None:
    answer = refusal(502, "x" * 100_000)
    assert isinstance(answer, Unknown)
    assert len(answer.evidence) < 300
