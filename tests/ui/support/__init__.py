"""A server for the pages alone, and the states it tells."""
