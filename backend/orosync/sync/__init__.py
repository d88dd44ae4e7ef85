"""Calls the core, both sides and the store in order; knows no framework."""
