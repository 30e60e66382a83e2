"""`lockstep demo`: real arbitrages with every ending, on two simulated exchanges."""
