"""Telegram: what people away from the desk are told, and what they may have done from there."""
