"""Models, endpoint configs, and endpoints that really answer."""
