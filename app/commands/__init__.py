"""The verbs of the `lockstep` command, one file per family; what they do lives elsewhere."""
