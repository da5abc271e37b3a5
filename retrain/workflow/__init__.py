"""Authoring state machines in Python, and drawing them. Not built yet."""
