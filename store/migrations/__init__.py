"""The steps that take a database from one schema version to the next, in order."""
