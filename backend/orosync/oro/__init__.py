"""Touches OroCRM and nothing else."""
