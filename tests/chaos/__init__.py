"""Real processes, a real Temporal server and both simulated exchanges, broken on purpose."""
