"""The function evaluate_challenger."""
