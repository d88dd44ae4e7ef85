"""Touches OroCRM: both dialects, both sign-ins, and the three entities behind `OroInstance`."""
