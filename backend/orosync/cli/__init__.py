"""Starts everything by hand: the command `orosync`."""
