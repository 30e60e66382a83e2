"""What Polymarket's refusals of an order prove. Texts not listed here prove nothing.

Sources: the venue's error-code page and the field reports behind rule R2: a refusal counts only
when its status and its whole text are known; whatever arrives after the first byte and is not
listed may have been matched.
"""

import re
from dataclasses import dataclass

from domain.order import Answer, NotFilled, Rejection, Unknown

SHOWN = 200
"""Characters of a foreign text that evidence and details quote."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A refusal that proves that nothing was matched: HTTP status, the whole text, meaning."""

    status: int
    text: re.Pattern[str]
    rejection: Rejection


def _rules(status: int, rejection: Rejection, *texts: str) -> tuple[Rule, ...]:
    return tuple(Rule(status, re.compile(text, re.IGNORECASE), rejection) for text in texts)


REFUSALS = (
    *_rules(
        400,
        Rejection.KILLED,
        r"order couldn't be fully filled\. FOK orders are fully filled or killed\.?",
        r"no orders found to match with FAK order\..*",
    ),
    *_rules(500, Rejection.KILLED, r"(the )?FOK orders are filled or killed\.?"),
    *_rules(400, Rejection.INSUFFICIENT_BALANCE, r"not enough balance / allowance(: .*)?"),
    *_rules(
        400,
        Rejection.INVALID_ORDER,
        r"(order 0x[0-9a-f]{64} is invalid\. )?Price \(.*\) breaks minimum tick size rule: .*",
        r"(order 0x[0-9a-f]{64} is invalid\. )?Price \(.*\) out of range, .*",
        r"(order 0x[0-9a-f]{64} is invalid\. )?Size \(.*\) lower than the minimum: .*",
        r"invalid amounts, .*",
        r"invalid amount for a marketable BUY order.*",
        r"invalid expiration",
        r"invalid post-only order: .*",
        r"order canceled in the CTF exchange contract",
        r"Invalid order payload",
        r"order_version_mismatch",
        r"invalid order version, .*",
    ),
    *_rules(
        400,
        Rejection.UNAUTHORISED,
        r"invalid signature",
        r"the order owner has to be the owner of the API KEY",
        r"the order signer address has to be the address of the API KEY",
        r"maker address not allowed, please use the deposit wallet flow",
    ),
    *_rules(
        401,
        Rejection.UNAUTHORISED,
        r"Unauthorized/Invalid api key",
        r"Invalid L1 Request headers",
    ),
    *_rules(400, Rejection.BANNED, r"'.*' address banned", r"('.*' )?address in closed only mode"),
    *_rules(403, Rejection.BANNED, r"[\s\S]*"),
    *_rules(
        400,
        Rejection.MARKET_CLOSED,
        r"the market is not yet ready to process new orders",
        r"order match delayed due to market conditions",
    ),
    *_rules(
        404,
        Rejection.MARKET_CLOSED,
        r"No orderbook exists for the requested token id",
        r"market not found",
    ),
    *_rules(425, Rejection.VENUE_CLOSED, r"[\s\S]*"),
    *_rules(429, Rejection.RATE_LIMITED, r"[\s\S]*"),
    *_rules(
        503,
        Rejection.VENUE_CLOSED,
        r"Trading is currently disabled.*",
        r"Trading is currently cancel-only.*",
        r"post-only mode: only post-only orders and cancels are allowed.*",
    ),
)


def refusal(status: int, text: str) -> Answer:
    """NotFilled where the table holds the status and the whole text; Unknown otherwise.

    `Duplicated` is not in the table: an earlier copy arrived, which says nothing about a fill.
    """
    said = text.strip()
    for rule in REFUSALS:
        if rule.status == status and rule.text.fullmatch(said):
            return NotFilled(rule.rejection, quoted(status, said))
    return Unknown(f"unlisted answer, {quoted(status, said)}")


def quoted(status: int, text: str) -> str:
    """A foreign text on one line, cut to what a reader needs."""
    plain = " ".join(text.split())
    return f"HTTP {status}: {plain[:SHOWN]}" if plain else f"HTTP {status} without a text"
