"""Training jobs that really train."""
