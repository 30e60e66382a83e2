"""An arbitrage by what a person types: its id, the beginning of it, or its workflow's id."""

import difflib
from collections.abc import Sequence

PREFIX = "arb-"
NEAREST = 3
COMPARED = 500


class NotOne(Exception):
    """No arbitrage, or several. `found` are those that it may mean, `near` the nearest ids where
    it means none."""

    def __init__(self, typed: str, found: Sequence[str] = (), near: Sequence[str] = ()) -> None:
        super().__init__(typed)
        self.typed = typed
        self.found = tuple(found)
        self.near = tuple(near)


def the_one(known: Sequence[str], typed: str) -> str:
    """The id among `known` (newest first) that is meant; `arb-` may be left out. Raises NotOne."""
    wanted = typed.partition(":")[0]
    if wanted in known:
        return wanted
    found = [one for one in known if one.startswith((wanted, PREFIX + wanted))] if wanted else []
    if len(found) == 1:
        return found[0]
    if found or not wanted:
        raise NotOne(typed, found)
    bare = {one.removeprefix(PREFIX): one for one in known[:COMPARED]}
    close = difflib.get_close_matches(wanted.removeprefix(PREFIX), bare, NEAREST)
    raise NotOne(typed, near=[bare[one] for one in close])
