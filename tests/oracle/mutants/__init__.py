"""Executors that are wrong on purpose, each in one way: the judge must name what they break."""
