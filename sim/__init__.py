"""The two exchanges as local servers: their wire, matching, ledgers and failures.

A second, independent reading of both wires: nothing here imports the product.
All money is integer micro-dollars and all sizes are integer micro-contracts.
"""
