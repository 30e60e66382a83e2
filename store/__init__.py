"""The journal: every promise, order, fill and alarm, written before the world is touched."""
