"""Pairs, books and the scanner."""
