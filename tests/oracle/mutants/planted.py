"""All mutants by name."""

from tests.oracle.mutants import booking, neutralising, sending
from tests.oracle.mutants.registry import MUTANTS

MODULES = (booking, neutralising, sending)
__all__ = ["MODULES", "MUTANTS"]
