"""What the scanner sees, written down for pages: the last look at every pair, counts by minute."""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from app.config import ConfiguredPair
from app.intake import Intake
from app.sighted import LEVELS, Json, Terms, ladder, terms_of, volumes
from app.sighted import text as _text
from domain.book import Book
from domain.money import ZERO, show_usd
from domain.opportunity import Opportunity, Refused
from domain.pair import Confidence, Pair
from domain.venue import Instrument, Venue
from markets.books import Books
from markets.pairs import Direction, ListedPair
from markets.scanner import Scanner, Seen
from store.codec import iso_utc
from store.sightings import MINUTE_MS

POINTS = 20
PAIRS_AT_ONCE = 40
EVIDENCE = {
    "reviewed": (True, "A person compared both venues' rules and approved this pair"),
    "high": (True, "The configuration calls this pair certain; no review is recorded"),
    "medium": (None, "The rules were read and no difference was found; no review is recorded"),
    "low": (None, "Nothing was reviewed: both titles merely look alike"),
}


@dataclass(slots=True)
class _Life:
    """How long a pair has been worth taking, and how its prices moved."""

    opened_ms: int | None = None
    peak_roi: Decimal = ZERO
    history: deque[Json] = field(default_factory=lambda: deque(maxlen=POINTS))


class Lookout:
    """Turns what the scanner keeps into what pages show. Reads only; decides nothing."""

    def __init__(
        self,
        configured: Iterable[ConfiguredPair],
        listed: Callable[[], Mapping[str, ListedPair]],
        books: Books,
        scanner: Scanner,
        intake: Intake,
        wall_ms: Callable[[], int],
    ) -> None:
        self._configured = {pair.id: pair for pair in configured}
        self._listed = listed
        self._books = books
        self._scanner = scanner
        self._intake = intake
        self._wall_ms = wall_ms
        self._told: dict[str, Json] = {}
        self._lives: dict[str, _Life] = {}
        self._read_at: dict[str, tuple[int, int]] = {}
        self._minute = (0, Counter[str]())

    def changed(self, now_ms: int) -> dict[str, Json]:
        """Looks that differ from what was told: of every pair that something is held of, since
        people sell by it, and of PAIRS_AT_ONCE others; the rest waits."""
        found: dict[str, Json] = {}
        listed, held = self._listed(), self._intake.advice.taken
        # What was told goes to the end of the queue, so that every pair has its turn.
        turn = [
            *(p for p in listed if p in held),
            *(p for p in listed if p not in held and p not in self._told),
            *(p for p in self._told if p not in held and p in listed),
        ]
        others = 0
        for pair_id in turn:
            sighting = self._sighting(listed[pair_id], now_ms)
            if sighting is not None and self._told.get(pair_id) != sighting:
                self._told.pop(pair_id, None)
                found[pair_id] = self._told[pair_id] = sighting
                others += pair_id not in held
                if others >= PAIRS_AT_ONCE:
                    break
        return found

    def gone(self) -> list[str]:
        """Pairs that were told and are followed no longer; each is named once."""
        gone = [pair_id for pair_id in self._told if pair_id not in self._listed()]
        for pair_id in gone:
            del self._told[pair_id]
        return gone

    def untold(self, pair_ids: Iterable[str]) -> None:
        """What was found of these pairs could not be written down: it is told once more."""
        self._told |= {pair_id: {} for pair_id in pair_ids}

    def counts(self, now_ms: int) -> dict[str, int]:
        """What was counted since the running minute began."""
        total = self._scanner.refused + self._intake.refused
        now: Counter[str] = Counter({reason.value: number for reason, number in total.items()})
        now.update(found=self._scanner.found, started=self._intake.started)
        minute = now_ms // MINUTE_MS
        if minute != self._minute[0]:
            self._minute = minute, now
        return dict(now - self._minute[1])

    def _sighting(self, listed: ListedPair, now_ms: int) -> Json | None:
        """None before both books of a direction offer something."""
        pair_id = listed.pair.pair_id
        looks = [
            seen
            for seen in self._scanner.seen(pair_id)
            if seen.polymarket_ask is not None and seen.kalshi_ask is not None
        ]
        if not looks:
            return None
        seen = min(looks, key=_rank)
        direction = next(d for d in listed.directions if d.outcome is seen.direction)
        terms = terms_of(seen, direction)
        life = self._live(pair_id, seen, terms, now_ms)
        books = {
            Venue.POLYMARKET: self._books.latest(direction.polymarket),
            Venue.KALSHI: self._books.latest(direction.kalshi),
        }
        card = self._card(listed, direction, seen, terms)
        card |= {"found_at": iso_utc(life.opened_ms or seen.at_ms), **volumes(books, terms)}
        held = pair_id in self._intake.advice.taken
        return {
            "opened_ms": life.opened_ms,
            "card": card,
            "detail": self._detail(listed.pair, books, terms, life),
            "bids": self._bids(listed) if held else {},
            "bids_ms": self._bids_ms(listed) if held else {},
        }

    def _live(self, pair_id: str, seen: Seen, terms: Terms, now_ms: int) -> _Life:
        life = self._lives.setdefault(pair_id, _Life())
        if isinstance(seen.verdict, Opportunity):
            life.opened_ms = life.opened_ms or now_ms
            life.peak_roi = max(life.peak_roi, terms.roi)
        else:
            life.opened_ms, life.peak_roi = None, ZERO
        point: Json = {
            "polymarket": str(terms.prices[Venue.POLYMARKET]),
            "kalshi": str(terms.prices[Venue.KALSHI]),
            "edge": str(terms.roi),
        }
        if not life.history or life.history[-1] != point:
            life.history.append(point)
        return life

    def _card(self, listed: ListedPair, direction: Direction, seen: Seen, terms: Terms) -> Json:
        pair = listed.pair
        return {
            "id": pair.pair_id,
            "pair_id": pair.pair_id,
            "title": pair.title,
            "confidence": self._confidence(pair).value,
            "size": _text(terms.size),
            "unit_cost": _text(sum(terms.prices.values(), start=ZERO)),
            "cost": _text(terms.cost),
            "fees": _text(terms.fee),
            "payout": _text(terms.size),
            "profit": _text(terms.profit),
            "roi": str(terms.roi),
            "seen_at": iso_utc(seen.at_ms),
            "verdict": self._verdict(seen),
            "legs": {
                leg.venue.value: self._leg(leg, terms)
                for leg in (direction.polymarket, direction.kalshi)
            },
        }

    def _leg(self, instrument: Instrument, terms: Terms) -> Json:
        price = terms.prices[instrument.venue]
        return {
            "outcome": instrument.outcome.upper(),
            "price": str(price),
            "size": _text(terms.size),
            "fee": _text(terms.fees[instrument.venue]),
            "cost": _text(terms.size * price),
            "market": instrument.market,
            "token": instrument.token,
            "book_at": self._book_at(instrument),
        }

    def _verdict(self, seen: Seen) -> Json:
        verdict = seen.verdict
        if isinstance(verdict, Refused):
            text = f"Skipped: {verdict.detail}"
            return {"ok": False, "code": verdict.reason.value, "text": text}
        refusal = self._intake.refusal(verdict)
        if refusal is not None:
            words = refusal.value.replace("_", " ")
            return {"ok": False, "code": refusal.value, "text": f"Skipped: {words}"}
        gain = show_usd(verdict.profit)
        text = f"Would trade {verdict.size} shares for {gain} or more"
        return {"ok": True, "code": "", "text": text}

    def _detail(
        self, pair: Pair, books: Mapping[Venue, Book | None], terms: Terms, life: _Life
    ) -> Json:
        known, text = self._evidence(pair)
        depths = {
            venue: terms.buyable(venue, book.asks)
            for venue, book in books.items()
            if book is not None
        }
        least = min(depths, key=lambda venue: depths[venue]) if depths else None
        steps = [("Gross edge", terms.size - terms.cost)]
        steps += [(f"{v.value.capitalize()} fee", -fee) for v, fee in terms.fees.items()]
        steps.append(("Net profit", terms.profit))
        return {
            "evidence": [{"known": known, "text": text}],
            "ladders": {
                venue.value: ladder(book.asks, terms.taken(venue, book.asks)) if book else []
                for venue, book in books.items()
            },
            "waterfall": [{"name": name, "amount": _text(amount)} for name, amount in steps],
            "max_size": _text(depths[least]) if least else None,
            "capped_by": f"{least.value.capitalize()} depth" if least else None,
            "life": {"opened_at": iso_utc(life.opened_ms), "peak_roi": str(life.peak_roi)}
            if life.opened_ms
            else None,
            "history": list(life.history),
        }

    def _confidence(self, pair: Pair) -> Confidence:
        """What a person said last; where nobody did, what the configuration says."""
        advice = self._intake.advice
        if advice.rejection(pair.pair_id) is not None:
            return Confidence.LOW
        return pair.confidence if advice.approval(pair) is None else Confidence.HIGH

    def _evidence(self, pair: Pair) -> tuple[bool | None, str]:
        """Whether what is known speaks for the pair (None: neither way), and what it is."""
        advice = self._intake.advice
        if (no := advice.rejection(pair.pair_id)) is not None:
            return False, f"{no.act.actor} rejected it on {iso_utc(no.act.at_ms)}: {no.why}"
        if (yes := advice.approval(pair)) is not None:
            known, text = EVIDENCE["reviewed"]
            return known, f"{text}: {yes.act.actor} on {iso_utc(yes.act.at_ms)}, {yes.why}"
        configured = self._configured.get(pair.pair_id)
        return EVIDENCE[configured.confidence if configured else pair.confidence.lower()]

    def _bids(self, listed: ListedPair) -> Json:
        """What selling would bring, for pairs that something may be held of."""
        return {
            instrument.token: [[str(level.price), str(level.size)] for level in book.bids[:LEVELS]]
            for instrument in listed.instruments
            if (book := self._books.latest(instrument)) is not None
        }

    def _bids_ms(self, listed: ListedPair) -> Json:
        """When each of these books was read (wall-clock ms): what is old is no figure of now."""
        read = {one.token: self._read_ms(one) for one in listed.instruments}
        return {token: at_ms for token, at_ms in read.items() if at_ms is not None}

    def _book_at(self, instrument: Instrument) -> str | None:
        """When the book was read, for pages."""
        at_ms = self._read_ms(instrument)
        return None if at_ms is None else iso_utc(at_ms)

    def _read_ms(self, instrument: Instrument) -> int | None:
        """When the book was read, by the wall clock; the same time while it is the same book."""
        book = self._books.latest(instrument)
        if book is None:
            return None
        read_ns, at_ms = self._read_at.get(instrument.token, (0, 0))
        if read_ns != book.received_ns:
            at_ms = self._wall_ms() - self._books.age_ms(book)
            self._read_at[instrument.token] = book.received_ns, at_ms
        return at_ms


def _rank(seen: Seen) -> tuple[bool, Decimal]:
    """Opportunities first, then the cheaper direction."""
    assert seen.polymarket_ask is not None, "only looks with both asks are ranked"
    assert seen.kalshi_ask is not None, "only looks with both asks are ranked"
    return not isinstance(seen.verdict, Opportunity), seen.polymarket_ask + seen.kalshi_ask
