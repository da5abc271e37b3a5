"""The function clean_up."""
