"""Tests: one package per room, plus house rules and the support they share."""
