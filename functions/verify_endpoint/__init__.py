"""The function verify_endpoint."""
