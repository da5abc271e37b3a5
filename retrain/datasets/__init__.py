"""Data sets to try Retrain with: fetching, reading, writing and, on purpose, spoiling them."""
