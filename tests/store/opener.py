"""A process that asks the gate for arbitrages: opener.py DATABASE NAME COUNT [PAIR].

Prints the verdicts as a JSON list.
"""

import json
import sys
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from store import gate
from store.gate import Granted
from store.journal import Journal
from tests.store.builders import NOW, a_request, an_opportunity
from tests.support.places import place


def main() -> None:
    path, name, count, *pair = sys.argv[1:]
    journal = Journal.open(place(Path(path)), NOW)
    verdicts = []
    for number in range(int(count)):
        plan = an_opportunity(f"{name}-{number}", pair=pair[0] if pair else None)
        request = a_request(plan)
        verdict = journal.database.write_here(partial(gate.reserve, request=request))
        verdicts.append("granted" if isinstance(verdict, Granted) else verdict.reason)
    sys.stdout.write(json.dumps(verdicts))
    journal.close()


if __name__ == "__main__":
    main()
