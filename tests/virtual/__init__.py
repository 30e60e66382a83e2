"""Whole arbitrages in virtual time: the real saga and activities, modelled venues and journal."""
