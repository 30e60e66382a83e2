"""A venue's cash, from the venue into the journal."""

from activities.desk import Desk
from domain.venue import Mode, Venue


async def read_funds(desk: Desk, venue: Venue, mode: Mode) -> None:
    """Ask the venue and write down what it says, as of when it was asked. Raises what a read of a
    venue raises."""
    as_of_ms = desk.wall_ms()
    funds = await desk.venues[venue].funds()
    await desk.journal.record_balance(venue, mode, funds, as_of_ms)
