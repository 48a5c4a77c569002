"""Instruments: every broker's list of the day as one table, which is searched and which strategies are held to."""
