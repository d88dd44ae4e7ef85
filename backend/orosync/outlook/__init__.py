"""Touches Microsoft Graph and nothing else."""
