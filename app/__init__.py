"""Configuration, composition, the embedded Temporal server and the `lockstep` command."""
