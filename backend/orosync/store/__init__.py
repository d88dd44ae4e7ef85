"""Touches the database and nothing else."""
