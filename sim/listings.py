"""Invented questions that both venues list, each in its own words and with its own identifiers."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random

LINEAR_CENT = (("0.0000", "1.0000", "0.0100"),)
TAPERED = (
    ("0.0000", "0.1000", "0.0010"),
    ("0.1000", "0.9000", "0.0100"),
    ("0.9000", "1.0000", "0.0010"),
)
DECI_CENT = (("0.0000", "1.0000", "0.0010"),)


@dataclass(frozen=True, slots=True)
class PolymarketListing:
    """The Polymarket side; ids are decimal or 0x strings, `fee_rate` is r of fee = C r p (1-p)."""

    condition_id: str
    token_yes: str
    token_no: str
    question: str
    slug: str
    description: str
    category: str
    fee_rate: str
    end: datetime
    tick: str = "0.01"
    min_size: str = "5"
    neg_risk: bool = False
    seconds_delay: int = 0
    version: str = "v1"


@dataclass(frozen=True, slots=True)
class KalshiListing:
    """The Kalshi side; `price_ranges` are (start, end, step) in dollars, multipliers decimals."""

    ticker: str
    event_ticker: str
    series_ticker: str
    title: str
    event_title: str
    yes_sub_title: str
    category: str
    exchange_index: int
    rules_primary: str
    rules_secondary: str
    market_id: str
    open: datetime
    close: datetime
    price_level_structure: str = "linear_cent"
    price_ranges: tuple[tuple[str, str, str], ...] = LINEAR_CENT
    fee_type: str = "quadratic"
    fee_multiplier: str = "1"
    fee_multiplier_override: str | None = None
    floor_strike: str | None = None
    participant: str = ""


@dataclass(frozen=True, slots=True)
class Pair:
    """The same yes/no question on both venues; `id` is p01, p02, ..."""

    id: str
    title: str
    polymarket: PolymarketListing
    kalshi: KalshiListing


@dataclass(frozen=True, slots=True)
class _Question:
    code: str
    yes: str
    polymarket: str
    kalshi: str
    event: str
    rules: str
    description: str
    floor: str | None = None
    participant: str = ""


_TEAMS = (
    ("Harbor City", "Comets", "HAR"),
    ("Redfield", "Foxes", "RED"),
    ("Lakemont", "Pilots", "LAK"),
    ("Stonebridge", "Rams", "STO"),
    ("Port Ellis", "Mariners", "PEL"),
    ("Granite Falls", "Wolves", "GRF"),
    ("Westhaven", "Kings", "WES"),
    ("Dunmore", "Hawks", "DUN"),
    ("Silver Creek", "Miners", "SIL"),
    ("Ashby", "Royals", "ASH"),
)
_COINS = (("Bitcoin", "BTC", 96_000, 2_000), ("Ethereum", "ETH", 3_200, 100))
_CITIES = (
    ("New York", "NY", 46),
    ("Chicago", "CHI", 38),
    ("Austin", "AUS", 64),
    ("Miami", "MIA", 77),
)
_SERIES = {
    # kind: (series, category, shard, Polymarket fee rate, Kalshi fee type, Kalshi multiplier)
    "game": ("KXUBLGAME", "Sports", 3, "0.05", "quadratic_with_maker_fees", "1"),
    "coin": ("KX{}D", "Crypto", 2, "0.07", "quadratic", "1"),
    "heat": ("KXHIGH{}", "Climate and Weather", 0, "0.05", "quadratic", "1"),
    "rate": ("KXFEDRATE", "Economics", 0, "0.05", "quadratic_with_maker_fees", "1"),
    "film": ("KXBOXOFFICE", "Entertainment", 0, "0.05", "quadratic", "0.5"),
    "world": ("KXTREATY", "World", 0, "0", "quadratic", "0"),
}
_KINDS = ("game", "coin", "heat", "game", "rate", "coin", "film", "heat", "game", "world")


def build_pairs(count: int, rng: Random, today: date) -> list[Pair]:
    """`count` different pairs, the same for the same seed and day."""
    pairs: list[Pair] = []
    tickers: set[str] = set()
    while len(pairs) < count:
        kind = _KINDS[len(pairs) % len(_KINDS)]
        pair = _pair(len(pairs) + 1, kind, rng, today)
        if pair.kalshi.ticker not in tickers:
            tickers.add(pair.kalshi.ticker)
            pairs.append(pair)
    return pairs


def _pair(number: int, kind: str, rng: Random, today: date) -> Pair:
    day = today + timedelta(days=rng.randint(3, 20))
    series, category, shard, rate, fee_type, multiplier = _SERIES[kind]
    question, code = _question(kind, rng, day)
    event = f"{series.format(code)}-{day:%y%b%d}".upper() + (code if kind == "game" else "")
    close = datetime.combine(day + timedelta(days=1), time(4), UTC)
    opened = datetime.combine(today - timedelta(days=7), time(15), UTC)
    structure, ranges = _grid(number)
    ident = hashlib.sha256(f"{rng.random()}:{number}".encode()).hexdigest()
    slug = "-".join(question.polymarket.lower().replace("?", "").replace(",", "").split())
    return Pair(
        id=f"p{number:02d}",
        title=question.polymarket,
        polymarket=PolymarketListing(
            condition_id="0x" + ident,
            token_yes=str(int(_digest("yes", ident), 16)),
            token_no=str(int(_digest("no", ident), 16)),
            question=question.polymarket,
            slug="".join(letter for letter in slug if letter.isalnum() or letter == "-"),
            description=question.description,
            category=category,
            fee_rate=rate,
            end=close,
        ),
        kalshi=KalshiListing(
            ticker=f"{event}-{question.code}",
            event_ticker=event,
            series_ticker=event.split("-")[0],
            title=question.kalshi,
            event_title=question.event,
            yes_sub_title=question.yes,
            category=category,
            exchange_index=shard,
            rules_primary=question.rules,
            rules_secondary="If the event is cancelled the market resolves to a fair price.",
            market_id=f"{ident[:8]}-{ident[8:12]}-4{ident[13:16]}-a{ident[17:20]}-{ident[20:32]}",
            open=opened,
            close=close,
            price_level_structure=structure,
            price_ranges=ranges,
            fee_type=fee_type,
            fee_multiplier=multiplier,
            fee_multiplier_override="0.5" if number == 11 else None,
            floor_strike=question.floor,
            participant=question.participant,
        ),
    )


def _digest(word: str, ident: str) -> str:
    return hashlib.sha256(f"{word}:{ident}".encode()).hexdigest()


def _grid(number: int) -> tuple[str, tuple[tuple[str, str, str], ...]]:
    if number % 8 == 5:
        return "tapered_deci_cent", TAPERED
    if number % 8 == 7:
        return "deci_cent", DECI_CENT
    return "linear_cent", LINEAR_CENT


def _question(kind: str, rng: Random, day: date) -> tuple[_Question, str]:
    when = f"{day:%B} {day.day}"
    if kind == "game":
        return _game(rng, when)
    if kind == "coin":
        return _coin(rng, when)
    if kind == "heat":
        return _heat(rng, when)
    if kind == "rate":
        return _rate(rng, when)
    if kind == "film":
        return _film(rng, when)
    return _treaty(rng, when)


def _game(rng: Random, when: str) -> tuple[_Question, str]:
    (home, home_name, home_code), (away, away_name, away_code) = rng.sample(_TEAMS, 2)
    question = _Question(
        code=home_code,
        yes=home,
        polymarket=f"Will the {home} {home_name} beat the {away} {away_name} on {when}?",
        kalshi=f"{away} at {home} Winner?",
        event=f"{away} at {home}",
        rules=f"If {home} wins the {away} at {home} basketball game originally scheduled for "
        f"{when}, then the market resolves to Yes.",
        description=f"This market resolves to Yes if the {home} {home_name} win their game against "
        f"the {away} {away_name} scheduled for {when}, overtime included. If the game is "
        "cancelled with no make-up game, it resolves 50-50.",
    )
    return question, away_code + home_code


def _coin(rng: Random, when: str) -> tuple[_Question, str]:
    name, code, base, step = rng.choice(_COINS)
    strike = base + step * rng.randint(-5, 5)
    question = _Question(
        code=f"T{strike - 1}.99",
        yes=f"${strike:,} or above",
        polymarket=f"Will the price of {name} be above ${strike:,} on {when}?",
        kalshi=f"{name} price on {when} at 5pm EST?",
        event=f"{name} price on {when}",
        rules=f"If the simple average of the {name} index in the minute before 5 PM EST on {when} "
        f"is above {strike - 1}.99, then the market resolves to Yes.",
        description=f"This market resolves to Yes if the price of {name} is above ${strike:,} at "
        f"5 PM ET on {when}, as shown by the named index. Otherwise it resolves to No.",
        floor=f"{strike - 1}.99",
        participant="cryptocurrency",
    )
    return question, code


def _heat(rng: Random, when: str) -> tuple[_Question, str]:
    city, code, base = rng.choice(_CITIES)
    degrees = base + rng.randint(-6, 6)
    question = _Question(
        code=f"T{degrees}",
        yes=f"{degrees + 1}° or above",
        polymarket=f"Will the highest temperature in {city} be {degrees + 1}°F or more on {when}?",
        kalshi=f"Will the high temp in {city} be >{degrees}° on {when}?",
        event=f"Highest temperature in {city} on {when}",
        rules=f"If the highest temperature recorded in {city} for {when} as reported by the "
        f"climatological report is greater than {degrees}°, then the market resolves to Yes.",
        description=f"This market resolves to Yes if the highest temperature recorded in {city} on "
        f"{when} is {degrees + 1} degrees Fahrenheit or higher. Otherwise it resolves to No.",
        floor=str(degrees),
        participant="city",
    )
    return question, code


def _rate(rng: Random, when: str) -> tuple[_Question, str]:
    points = rng.choice((25, 50))
    question = _Question(
        code=f"C{points}",
        yes=f"Cut of {points}bps",
        polymarket=f"Will the Fed cut rates by {points} bps at the meeting ending {when}?",
        kalshi=f"Will the Federal Reserve cut rates by {points}bps at its {when} meeting?",
        event=f"Fed decision on {when}",
        rules=f"If the Federal Reserve lowers the upper bound of its target range by exactly "
        f"{points} basis points at the meeting ending {when}, then the market resolves to Yes.",
        description=f"This market resolves to Yes if the upper bound of the target federal funds "
        f"rate is lowered by {points} basis points at the meeting ending {when}.",
    )
    return question, "FED"


def _film(rng: Random, when: str) -> tuple[_Question, str]:
    film, code = rng.choice((("The Ninth Lantern", "NIN"), ("Paper Tigers II", "PAP")))
    millions = 5 * rng.randint(6, 30)
    question = _Question(
        code=f"{code}{millions}",
        yes=f"Above ${millions} million",
        polymarket=f"Will “{film}” gross over ${millions}m on its opening weekend ({when})?",
        kalshi=f"{film} opening weekend box office above ${millions} million?",
        event=f"{film} opening weekend",
        rules=f"If the domestic opening weekend gross of {film} is above ${millions} million, "
        "then the market resolves to Yes.",
        description=f"This market resolves to Yes if “{film}” grosses more than "
        f"${millions} million domestically on the weekend that includes {when}.",
        floor=str(millions * 1_000_000),
        participant="film",
    )
    return question, code


def _treaty(rng: Random, when: str) -> tuple[_Question, str]:
    one, two, code = rng.choice(
        (("Norvania", "Ostrelia", "NOROST"), ("Calder", "Brisonne", "CALBRI"))
    )
    kind, letter = rng.choice((("trade agreement", "T"), ("ceasefire", "C")))
    question = _Question(
        code=f"{code}{letter}",
        yes=f"Before {when}",
        polymarket=f"Will {one} and {two} sign a {kind} before {when}?",
        kalshi=f"Will {one} and {two} sign a {kind} before {when}?",
        event=f"{one} and {two} {kind}",
        rules=f"If {one} and {two} sign a {kind} before {when}, then the market resolves to Yes.",
        description=f"This market resolves to Yes if {one} and {two} both sign a {kind} before "
        f"{when}.",
    )
    return question, code
