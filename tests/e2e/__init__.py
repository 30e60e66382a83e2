"""The pages in a real browser before a running system: real API, Temporal, journal, exchanges."""
