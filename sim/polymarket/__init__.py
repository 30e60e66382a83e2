"""The Polymarket CLOB V2 as a local server: its wire, its rules, its settlement.

A second, independent reading of the venue: nothing of the product is imported here.
"""
