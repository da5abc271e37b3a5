"""The function start_retraining."""
