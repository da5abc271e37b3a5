"""The function write_report."""
