"""The function prepare_training."""
