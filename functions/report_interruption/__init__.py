"""The function report_interruption."""
