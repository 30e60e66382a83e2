"""The only code that a workflow can make touch the world."""
