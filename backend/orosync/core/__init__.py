"""Thinks: records, mapping, merging, planning. No I/O, no clock, no randomness, no framework."""
