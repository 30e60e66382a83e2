"""How each scenario ends for the true executor: a judge finds nothing wrong where nothing happens.

Orders that were sent, and phase and status of every arbitrage (the reason where it was refused).
"""

ROLLED_BACK = (3, ["FLAT ROLLED_BACK"])
LOCKED = (2, ["HOLDING SUCCESS"])
NEVER_SENT = (0, ["FLAT FAILED"])

ENDINGS: dict[str, tuple[int, list[str]]] = {
    "locked": LOCKED,
    "settled": (2, ["SETTLED SUCCESS"]),
    "polymarket_naked": ROLLED_BACK,
    "kalshi_naked": ROLLED_BACK,
    "slow_settlement": ROLLED_BACK,
    "answer_lost": LOCKED,
    "polymarket_answer_lost": LOCKED,
    "answer_late": LOCKED,
    "error_after": LOCKED,
    "order_lost": ROLLED_BACK,
    "ghost": ROLLED_BACK,
    "partial": (3, ["HOLDING PARTIAL"]),
    "sale_answer_lost": ROLLED_BACK,
    "unsellable": (10, ["NEEDS_OPERATOR ROLLBACK_FAILED"]),
    "better_price": LOCKED,
    "operator_close": (4, ["FLAT SUCCESS"]),
    "limit": (2, ["HOLDING SUCCESS", "REFUSED daily_trades_reached"]),
    "only_matched": (2, ["HOLDING SUCCESS", "REFUSED daily_loss_reached"]),
    "smaller_bet": (0, ["REFUSED bet_above_maximum"]),
    "disabled_between": NEVER_SENT,
    "late_start": NEVER_SENT,
    "refused_at_polymarket": (4, ["NEEDS_OPERATOR ROLLBACK_FAILED"]),
    "neutralised": (5, ["HOLDING PARTIAL"]),
    "held_at_a_loss": (5, ["HOLDING PARTIAL", "REFUSED daily_loss_reached"]),
    "neutralised_and_paid": (5, ["SETTLED PARTIAL"]),
    "books_apart": (0, ["REFUSED books_apart"]),
    "one_old_book": (0, ["REFUSED past_its_deadline"]),
}
