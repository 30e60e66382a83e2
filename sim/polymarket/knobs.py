"""Everything about this venue that can be turned while it runs, with its default."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

from sim.polymarket.fees import Rounding

APPROVALS = {
    f"{exchange}_{asset}"
    for exchange in ("standard", "neg_risk")
    for asset in ("collateral", "tokens")
}


@dataclass(frozen=True, slots=True)
class Knobs:
    """Times in milliseconds unless named otherwise, probabilities in millionths.

    settle_*: MATCHED to MINED, MINED to CONFIRMED; fail_*: chance and time of FAILED.
    update_refreshes: /balance-allowance/update makes MINED tokens sellable before CONFIRMED.
    order_vanish: how long a terminal order stays readable by id.
    restart, post_only: how long the modes `restarting` and then `post_only` last, 0 for ever.
    redeem: wait before winners are paid, -1 leaves them to be redeemed by hand (never).
    delayed_says: the errorMsg beside a delayed order, which older pages of the venue know.
    unapproved: what the wallet has not approved: words such as standard_collateral,
    standard_tokens, neg_risk_collateral, neg_risk_tokens.
    rate_*: orders per second and burst of one signer; 0 switches the bucket off.
    """

    settle_mined_ms: int = 300
    settle_confirmed_ms: int = 700
    fail_probability: int = 0
    fail_ms: int = 500
    retrying_probability: int = 0
    update_refreshes: bool = True
    fee_rounding: str = Rounding.FLOOR.value
    order_vanish_ms: int = 1_000
    restart_ms: int = 5_000
    post_only_ms: int = 120_000
    redeem_ms: int = 0
    delayed_says: str = ""
    unapproved: str = ""
    rate_per_second: int = 0
    rate_burst: int = 60
    heartbeat_check_ms: int = 5_000
    heartbeat_silence_ms: int = 10_000
    skew_seconds: int = 120
    strict_market_decimals: bool = True
    market_sell_minimum: int = 0
    eoa_allowed: bool = True
    wallet_deployed: bool = True
    closed_only: bool = False
    banned: bool = False
    ws_user_duplicate: int = 0
    ws_user_missing: int = 0
    ws_user_delay_ms: int = 0
    ws_market_silent: bool = False

    def changed(self, given: Mapping[str, object]) -> "Knobs":
        """These knobs with some turned; ValueError names a wrong name, type or range."""
        defaults = {field.name: getattr(self, field.name) for field in fields(self)}
        for name, value in given.items():
            if name not in defaults:
                raise ValueError(f"knobs: unknown {name!r}, expected one of {sorted(defaults)}")
            wanted = type(defaults[name])
            if type(value) is not wanted:
                raise ValueError(f"knobs: {name} must be {wanted.__name__}, found {value!r}")
            low = -1 if name == "redeem_ms" else 0
            if isinstance(value, int) and value < low:
                raise ValueError(f"knobs: {name} must be at least {low}, found {value}")
        if odd := set(str(given.get("unapproved", "")).split()) - APPROVALS:
            known = ", ".join(sorted(APPROVALS))
            raise ValueError(f"knobs: unapproved: expected some of {known}, found {odd}")
        Rounding(str(given.get("fee_rounding", self.fee_rounding)))
        return replace(self, **given)  # type: ignore[arg-type]

    def approved(self, exchange: str, asset: str) -> bool:
        """Whether the wallet lets that exchange (standard, neg_risk) take collateral or tokens."""
        return f"{exchange}_{asset}" not in self.unapproved.split()

    def as_json(self) -> dict[str, object]:
        return {field.name: getattr(self, field.name) for field in fields(self)}
