"""Polymarket's CLOB V2 behind the venue port."""
