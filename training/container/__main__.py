"""`python -m container train` and `python -m container serve`: the image's entry point."""

from __future__ import annotations

import sys


def main(arguments: list[str]) -> int:
    """Run the command that SageMaker starts the image with; return the exit status."""
    if arguments == ["train"]:
        from container import train

        return train.main()
    if arguments == ["serve"]:
        from container import serve

        return serve.main()
    print(f"usage: python -m container train|serve (got {arguments})", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
