"""The judge: reads the exchanges' own ledgers and the database, and shares no code with us.

Whole numbers and fractions only; nothing of the product is imported here, above all no money code.
"""
