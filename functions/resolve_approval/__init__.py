"""The function resolve_approval."""
