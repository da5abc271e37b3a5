"""Where the project is, and where its local cloud keeps its state."""

from __future__ import annotations

import os
from pathlib import Path

STATE_DIR_VARIABLE = "RETRAIN_STATE_DIR"


def project_root(start: Path | None = None) -> Path:
    """Find the folder that holds `template.yaml`, upwards from where the command runs.

    Parameters
    ----------
    start : Path, optional
        Where to begin; the working folder by default.

    Returns
    -------
    Path
        The nearest folder above `start` with `template.yaml` and `statemachine/`; else the checkout that
        this package was installed from.
    """
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / "template.yaml").is_file() and (folder / "statemachine").is_dir():
            return folder
    return Path(__file__).resolve().parent.parent


def state_dir(root: Path | None = None) -> Path:
    """Say where the local cloud keeps its state: `$RETRAIN_STATE_DIR`, or `.retrain` in the project.

    Returns
    -------
    Path
        An absolute path; it need not exist.
    """
    told = os.environ.get(STATE_DIR_VARIABLE)
    return Path(told).expanduser().resolve() if told else (root or project_root()) / ".retrain"
