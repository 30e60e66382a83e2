"""Durable control flow: what happens next, whatever dies in between."""
