"""What growth.py measures, and how it is drawn."""

Figures = dict[str, float]
"""Seconds by what took them, and `megabytes`."""
