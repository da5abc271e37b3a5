"""Retrain's tool for developers: the `retrain` command, and an AWS that fits on a laptop."""

__version__ = "0.1.0"
