"""Opportunities for the index page."""

from decimal import ROUND_FLOOR, Decimal
from typing import Any

from tests.ui.support.states import Json, ago, ahead, base

TITLES = [
    ("Lakers vs Celtics", "basketball"),
    ("Will the Fed cut rates in December?", "economics"),
    ("Arsenal to beat Chelsea", "football"),
    ("Bitcoin above $150,000 on 31 December", "crypto"),
    ("Government shutdown before 1 January", "politics"),
    ("Heat vs Knicks", "basketball"),
]
SIZE = 21
POLYMARKET = Decimal("0.51")
# Kalshi's price and both fees; everything else on a card follows.
PRICES = [
    (Decimal(kalshi), Decimal(fees))
    for kalshi, fees in [
        ("0.46", "0.13"), ("0.45", "0.13"), ("0.48", "0.06"), ("0.47", "0.13"), ("0.42", "0.21"),
        ("0.44", "0.21"),
    ]
]  # fmt: skip
VERDICTS = [
    (True, "", "Would trade 21 shares"),
    (True, "", "Would trade 40 shares"),
    (False, "edge_below_policy", "Skipped: net 0.7 % below Min ROI 1 %"),
    (False, "size_below_venue_minimum", "Skipped: Kalshi depth 7 < 10 min"),
    (False, "roi_above_policy", "Skipped: 6.3 % is above Max ROI 5 %, check the rules"),
    (False, "daily_trades_reached", "Skipped: 50 of 50 trades today"),
]


def card(number: int, **more: Any) -> Json:
    """One opportunity; every sixth looks alike."""
    title, category = TITLES[number % 6]
    ok, code, text = VERDICTS[number % 6]
    kalshi, fees = PRICES[number % 6]
    cost = SIZE * (POLYMARKET + kalshi)
    profit = SIZE - cost - fees
    roi = str((profit / (cost + fees) * 100).quantize(Decimal("0.01"), ROUND_FLOOR))
    legs = {
        "polymarket": {
            "outcome": "YES", "price": "0.51", "size": "21", "fee": str(fees - Decimal("0.05")),
            "cost": "10.71",
            "title": title, "url": "https://polymarket.example/event/1", "market": "0xabab01",
            "token": "104417", "book_at": ago(milliseconds=200), "settles_at": ahead(days=2),
            "closes_at": ahead(hours=3),
        },
        "kalshi": {
            "outcome": "NO", "price": str(kalshi), "size": "21", "fee": "0.05",
            "cost": str(SIZE * kalshi),
            "title": title, "url": "https://kalshi.example/markets/1", "market": "GAME-26NOV21",
            "token": None, "book_at": ago(milliseconds=400), "settles_at": ahead(days=2),
            "closes_at": ahead(hours=3),
        },
    }  # fmt: skip
    return {
        "id": f"c{number:04d}",
        "pair_id": f"pair-{number}",
        "title": title if number < 6 else f"{title} ({number // 6})",
        "category": category,
        "confidence": ["HIGH", "HIGH", "MEDIUM", "MEDIUM", "LOW", "HIGH"][number % 6],
        "state": ["live", "executing", "live", "new", "live", "live"][number % 6],
        "legs": legs,
        "size": "21",
        "unit_cost": str(POLYMARKET + kalshi),
        "cost": str(cost),
        "fees": str(fees),
        "payout": f"{SIZE}.00",
        "profit": str(profit),
        "roi": roi,
        "annualised": "54.2",
        "volume": "1234",
        "depth": "140",
        "expires_at": ahead(hours=2 + number % 50),
        "found_at": ago(seconds=41 + number),
        "verdict": {"ok": ok, "code": code, "text": text},
    } | more


def index(count: int = 6, **more: Any) -> Json:
    """The data of init for the topic `cards`."""
    return base() | {"cards": [card(number) for number in range(count)]} | more


def details(number: int = 0) -> Json:
    """What the page asks for when a card is opened."""
    return {
        "id": f"c{number:04d}",
        "pair_id": f"pair-{number}",
        "evidence": [
            {"known": True, "text": "Reviewed by anna on 12 Nov: same game, same source"},
            {"known": True, "text": "Both void when the game is not played"},
            {"known": None, "text": "Overtime is not mentioned by Kalshi"},
        ],
        "rules": {
            "polymarket": {
                "title": "Lakers vs Celtics", "closes_at": ahead(hours=2),
                "text": "Resolves to Yes if the Lakers win the game on 21 November, including "
                "overtime. If the game is cancelled this market resolves 50-50.",
            },
            "kalshi": {
                "title": "Lakers win?", "closes_at": ahead(hours=3),
                "text": "Resolves to Yes if the Lakers win the game on 21 November. If the game "
                "is cancelled this market resolves to the last fair price.",
            },
        },
        "ladders": {
            "polymarket": [
                {"price": "0.51", "size": "21", "taken": "21"},
                {"price": "0.52", "size": "140", "taken": "0"},
                {"price": "0.53", "size": "310", "taken": "0"},
            ],
            "kalshi": [
                {"price": "0.46", "size": "21", "taken": "21"},
                {"price": "0.48", "size": "60", "taken": "0"},
                {"price": "0.50", "size": "200", "taken": "0"},
            ],
        },
        "waterfall": [
            {"name": "Gross edge", "amount": "0.6300"},
            {"name": "Polymarket fee", "amount": "-0.0800"},
            {"name": "Kalshi fee", "amount": "-0.0500"},
            {"name": "Net profit", "amount": "0.5000"},
        ],
        "max_size": "69",
        "capped_by": "Kalshi depth",
        "life": {"opened_at": ago(seconds=41), "peak_roi": "3.1"},
        "history": [
            {"polymarket": f"0.{50 + n % 3}", "kalshi": f"0.{47 + n % 2}", "edge": f"{n % 4}.1"}
            for n in range(20)
        ],
    }  # fmt: skip
