"""The files of a SageMaker container: /opt/ml, or another place that SAGEMAKER_BASE_DIR names."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

USUAL_BASE = Path("/opt/ml")
IMAGE_DIR = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Layout:
    """Where everything lies, below one folder.

    Attributes
    ----------
    base : Path
        `/opt/ml` in a container.
    """

    base: Path

    @classmethod
    def from_environment(cls) -> Layout:
        """Read SAGEMAKER_BASE_DIR, the training toolkit's own variable."""
        return cls(Path(os.environ.get("SAGEMAKER_BASE_DIR") or USUAL_BASE).absolute())

    @property
    def input(self) -> Path:
        """What the platform hands in."""
        return self.base / "input"

    @property
    def config(self) -> Path:
        """The job's JSON files."""
        return self.base / "input" / "config"

    @property
    def model(self) -> Path:
        """The model that a training leaves, or that is served."""
        return self.base / "model"

    @property
    def output(self) -> Path:
        """What a training leaves besides the model; `failure` among it."""
        return self.base / "output"

    @property
    def code(self) -> Path:
        """The user's code."""
        return self.base / "code"

    @property
    def packages(self) -> Path:
        """What the user's requirements.txt adds to the image's packages."""
        return self.base / "packages"

    def channel(self, name: str) -> Path:
        """Return the folder of an input channel."""
        return self.base / "input" / "data" / name

    def moved(self, path: str) -> Path:
        """Return where a path that was written for `/opt/ml` lies here."""
        plain = Path(path.removeprefix("file://"))
        return self.base / plain.relative_to(USUAL_BASE) if plain.is_relative_to(USUAL_BASE) else plain
