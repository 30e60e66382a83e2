"""Failures on order: scripted rules, counted, each matched per venue, market and action.

Both wires ask `Faults.take(venue, market, action)` once per order and act on what it returns.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Final

from sim.units import ONE, micros

KINDS: Final = {
    "refuse": "answer a refusal; nothing is matched (params: code)",
    "kill": "fill-or-kill miss: nothing is matched",
    "partial": "match at most `size` contracts, even of a fill-or-kill",
    "delay": "wait `ms` before matching, then answer as usual",
    "hang": "match, then answer only after `ms`",
    "hang_before": "no answer for `ms`, nothing is matched",
    "error_before": "answer `status` (500); nothing is matched",
    "error_after": "match, then answer `status` (500)",
    "drop_before": "close the connection; nothing is matched",
    "drop_after": "match, then close the connection without an answer",
    "duplicate": "match, then answer that the order is a duplicate",
    "ghost": "match, then settlement ends FAILED (Polymarket only)",
    "sell_refused": "refuse for lack of balance, for `seconds` from the first hit, or n times",
    "delay_fills": "match; reads show it only after `ms`",
    "rate_limited": "answer 429; nothing is matched",
}
ACTIONS: Final = ("buy", "sell", "*", "read", "cancel", "balance", "refresh")
"""What a rule may speak of. `balance` and `refresh` are Polymarket's balance of one asset, and the
hint to look at the chain again, alone."""
VENUES: Final = ("polymarket", "kalshi", "*")
_NUMBERS: Final = ("ms", "status", "seconds")
_TEXTS: Final = ("size", "code")


@dataclass(frozen=True, slots=True)
class Fault:
    """What shall go wrong with one order; numbers have defaults per kind."""

    do: str
    rule: int
    ms: int = 0
    status: int = 500
    size: int = 0
    code: str = ""


@dataclass(slots=True)
class Rule:
    """One scripted failure; `times` 0 means for ever, `probability` is in millionths."""

    number: int
    venue: str
    market: str
    action: str
    do: str
    times: int = 1
    skip: int = 0
    probability: int = ONE
    params: dict[str, int | str] = field(default_factory=dict)
    seen: int = 0
    hits: int = 0
    active_until_ns: int = 0

    def as_json(self) -> dict[str, object]:
        """The rule as it was given, with its counters."""
        return {
            "rule": self.number,
            "venue": self.venue,
            "market": self.market,
            "action": self.action,
            "do": self.do,
            "times": self.times,
            "skip": self.skip,
            "probability": f"{self.probability // ONE}.{self.probability % ONE:06d}",
            "params": dict(self.params),
            "seen": self.seen,
            "hits": self.hits,
        }

    def matches(self, venue: str, market: str, action: str) -> bool:
        """Whether the rule speaks of such an order; `*` as action means buy and sell only."""
        wanted: tuple[str, ...] = ("buy", "sell") if self.action == "*" else (self.action,)
        if self.do == "sell_refused":
            wanted = ("sell",)
        return self.venue in (venue, "*") and self.market in (market, "*") and action in wanted


class Faults:
    """The list of rules; the first that applies decides."""

    def __init__(self, rng: Random, clock: Callable[[], int]) -> None:
        self.rules: list[Rule] = []
        self._rng = rng
        self._clock = clock
        self._numbers = 0

    def add(self, spec: Mapping[str, object]) -> Rule:
        """Append a rule from its JSON form; ValueError names the field that is wrong."""
        self._numbers += 1
        rule = _rule(self._numbers, spec)
        self.rules.append(rule)
        return rule

    def clear(self) -> None:
        """Forget all rules."""
        self.rules.clear()

    def take(self, venue: str, market: str, action: str) -> Fault | None:
        """The failure for this order, counted as used; None when it shall go well."""
        for rule in self.rules:
            if rule.matches(venue, market, action) and self._applies(rule):
                rule.hits += 1
                return _fault(rule)
        return None

    def _applies(self, rule: Rule) -> bool:
        rule.seen += 1
        if rule.seen <= rule.skip:
            return False
        seconds = int(rule.params.get("seconds", 0))
        if seconds:
            now = self._clock()
            if not rule.active_until_ns:
                rule.active_until_ns = now + seconds * 1_000_000_000
            return now < rule.active_until_ns
        if rule.times and rule.hits >= rule.times:
            return False
        return rule.probability >= ONE or self._rng.randrange(ONE) < rule.probability


def _fault(rule: Rule) -> Fault:
    params = rule.params
    return Fault(
        do=rule.do,
        rule=rule.number,
        ms=int(params.get("ms", 0)),
        status=int(params.get("status", 500)),
        size=int(params.get("size", 0)),
        code=str(params.get("code", "")),
    )


def _rule(number: int, spec: Mapping[str, object]) -> Rule:
    known = {"venue", "market", "action", "do", "times", "skip", "probability", "params"}
    for name in spec:
        if name not in known:
            raise ValueError(f"fault rule: unknown field {name!r}, expected one of {sorted(known)}")
    params = spec.get("params", {})
    if not isinstance(params, Mapping):
        raise ValueError(f"fault rule: params must be an object, found {params!r}")
    if spec.get("do") == "ghost" and spec.get("venue") == "kalshi":
        raise ValueError("fault rule: ghost is a Polymarket failure, found venue 'kalshi'")
    return Rule(
        number=number,
        venue=_word(spec, "venue", VENUES, "*"),
        market=str(spec.get("market", "*")),
        action=_word(spec, "action", ACTIONS, "*"),
        do=_word(spec, "do", tuple(KINDS), None),
        times=_count(spec, "times", 1),
        skip=_count(spec, "skip", 0),
        probability=micros(spec.get("probability", "1")),
        params=_params(params),
    )


def _word(
    spec: Mapping[str, object], name: str, allowed: tuple[str, ...], default: str | None
) -> str:
    value = spec.get(name, default)
    if not isinstance(value, str) or value not in allowed:
        raise ValueError(f"fault rule: {name} must be one of {list(allowed)}, found {value!r}")
    return value


def _count(spec: Mapping[str, object], name: str, default: int) -> int:
    value = spec.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"fault rule: {name} must be a whole number, found {value!r}")
    return value


def _params(given: Mapping[str, object]) -> dict[str, int | str]:
    params: dict[str, int | str] = {}
    for name, value in given.items():
        if name in _NUMBERS and isinstance(value, int) and value >= 0:
            params[name] = value
        elif name in _TEXTS and isinstance(value, str):
            params[name] = micros(value) if name == "size" else value
        else:
            raise ValueError(
                f"fault rule: params.{name} = {value!r}; expected whole numbers for "
                f"{list(_NUMBERS)} and strings for {list(_TEXTS)}"
            )
    return params
