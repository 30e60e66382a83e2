"""The verbs of `lockstep`, as the installed command against a running system."""
