"""The function notify."""
