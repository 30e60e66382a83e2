"""Tests of configuration, the embedded Temporal and the command."""
