"""Starts runs in the background. Which run it is stands in the store; what travels here are ids alone."""
