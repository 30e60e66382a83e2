"""The rules, as tables and laws."""
