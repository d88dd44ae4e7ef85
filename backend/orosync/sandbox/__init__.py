"""A simulated Graph and a simulated OroCRM; imports nothing of the rest of the package."""
