"""What the doctor finds at both venues: whether they answer, in our time, and know our account.

It only reads. An API key that Polymarket would have to make first is not asked for.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx

from app.config import Config, PolymarketSection
from app.errors import ConfigError
from app.operating.checks import bad, ok, warn
from app.operating.office import whereabouts
from app.operating.outputs import Check
from app.wiring import kalshi_account, polymarket_account
from domain.venue import Mode, Venue
from venues.kalshi.client import KalshiClient
from venues.polymarket.client import PolymarketClient
from venues.port import VenueMisuse, VenuePort, VenueUnreachable

SKEW_SECONDS_MAX = 2
READ_SECONDS = 5
RUN = "lockstep run"
SHOW = "lockstep config show --origin"
PATHS = {Venue.POLYMARKET: "/ok", Venue.KALSHI: "/exchange/status"}
KEYS = {Venue.POLYMARKET: "polymarket.clob_url", Venue.KALSHI: "kalshi.base_url"}
FIXES = {
    Venue.POLYMARKET: "compare polymarket.private_key, funder, signature_type, api_key, secret and "
    "passphrase with the account they were made for; without the last three a new API key is "
    "made from the private key",
    Venue.KALSHI: "make an API key on the account's page at Kalshi, and set kalshi.key_id and "
    "kalshi.private_key_file to both halves of it",
}
"""What is to be done where the venue does not know the account."""


async def examine(config: Config) -> list[Check]:
    """Both venues; an account is asked for only where its venue answers."""
    urls = _urls(config)
    if urls is None:
        return [bad("venues", "the simulated exchanges do not run", RUN)]
    checks = []
    async with httpx.AsyncClient(timeout=READ_SECONDS) as http:
        for venue, base in urls.items():
            found = await _venue(http, venue, base)
            checks.append(found)
            if found.state == "ok":
                checks += await _account(config, venue)
    return checks


def _urls(config: Config) -> dict[Venue, str] | None:
    """Where the venues answer; None where they are simulated and nothing runs."""
    urls = {
        Venue.POLYMARKET: config.polymarket.clob_url,
        Venue.KALSHI: config.kalshi.base_url,
    }
    here = whereabouts(config)
    if config.mode is not Mode.SIM:
        return urls
    if here is not None:
        return {venue: here.urls[venue.value] for venue in urls}
    own = config.polymarket.clob_url != PolymarketSection().clob_url
    return urls if own else None


async def _venue(http: httpx.AsyncClient, venue: Venue, base: str) -> Check:
    """Whether it answers, and its clock is ours."""
    look, began = f"curl -sv {base}{PATHS[venue]}", datetime.now(UTC)
    try:
        reply = await http.get(base + PATHS[venue])
    except httpx.HTTPError as trouble:
        said = (
            f"{base} does not answer ({type(trouble).__name__}): look at this machine's network, "
            f"at {KEYS[venue]} and at the venue's status page"
        )
        return bad(venue.value, said, look)
    if reply.status_code != httpx.codes.OK:
        said = f"{base} answers {reply.status_code}: look at the venue's status page and at "
        return bad(venue.value, said + KEYS[venue], look)
    skew = _skew(reply.headers.get("date"), began)
    if skew is not None and skew > SKEW_SECONDS_MAX:
        said = f"{base}: our clock and theirs are {skew} s apart"
        return bad(venue.value, said, "timedatectl set-ntp true")
    took_ms = reply.elapsed // timedelta(milliseconds=1)
    return ok(venue.value, f"{base} answers in {took_ms} ms")


def _skew(date: str | None, began: datetime) -> int | None:
    """Whole seconds between a venue's clock and ours, as far as its header tells."""
    if date is None:
        return None
    theirs = parsedate_to_datetime(date)
    ended = datetime.now(UTC)
    if theirs < began:
        return int((began - theirs).total_seconds())
    return max(int((theirs - ended).total_seconds()), 0)


async def _account(config: Config, venue: Venue) -> list[Check]:
    """Whether the venue knows the account: its cash is read. A run in mode sim gives its processes
    the simulated exchanges' keys, whatever is configured."""
    name = f"{venue} account"
    if config.mode is Mode.SIM and whereabouts(config) is not None:
        return []
    try:
        port = OPEN[venue](config)
    except ConfigError as missing:
        return [] if config.mode is Mode.SIM else [bad(name, str(missing), SHOW)]
    except VenueMisuse as unusable:
        return [bad(name, f"{unusable}: {FIXES[venue]}", SHOW)]
    try:
        if venue is Venue.POLYMARKET and not _has_api_key(config):
            said = "not tried: polymarket.api_key is not set, so the executor will ask for one"
            return [warn(name, said, "lockstep logs --process executor")]
        return [await _cash(port, name, FIXES[venue])]
    finally:
        await port.close()


async def _cash(port: VenuePort, name: str, fix: str) -> Check:
    try:
        await port.cash()
    except VenueUnreachable as trouble:
        return bad(name, f"its cash could not be read: {trouble}", "lockstep doctor")
    except VenueMisuse as refused:
        return bad(name, f"refused ({refused}): {fix}", SHOW)
    return ok(name, "known, its cash can be read")


def _has_api_key(config: Config) -> bool:
    section = config.polymarket
    return bool(section.api_key and section.secret and section.passphrase)


OPEN: dict[Venue, Callable[[Config], VenuePort]] = {
    Venue.POLYMARKET: lambda config: PolymarketClient(polymarket_account(config)),
    Venue.KALSHI: lambda config: KalshiClient(kalshi_account(config)),
}
