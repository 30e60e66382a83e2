"""A process that opens one arbitrage after another and prints each name after its commit."""

import sys
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from store import gate, intents
from store.gate import Granted
from store.journal import Journal
from tests.store.builders import NOW, a_request, an_opportunity
from tests.support.places import place


def main() -> None:
    journal = Journal.open(place(Path(sys.argv[1])), NOW)
    for number in range(10_000):
        request = a_request(an_opportunity(f"n{number}"), worst_loss="0")
        verdict = journal.database.write_here(partial(gate.reserve, request=request))
        assert isinstance(verdict, Granted), verdict
        for order, _ in request.orders:
            send = partial(intents.mark_sent, intent_id=order.intent_id, now_ms=NOW + 1)
            journal.database.write_here(send)
        sys.stdout.write(f"{request.arb_id}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
