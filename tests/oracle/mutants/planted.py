"""All mutants by name."""

from tests.oracle.mutants import booking, sending
from tests.oracle.mutants.registry import MUTANTS

MODULES = (booking, sending)
__all__ = ["MODULES", "MUTANTS"]
