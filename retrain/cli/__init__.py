"""The `retrain` command."""


def main() -> None:
    """Entry point of the `retrain` command."""
    raise SystemExit("retrain: not built yet")
