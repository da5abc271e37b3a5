"""Predictions on the holdout: the only thing about a model that the gate looks at.

`predictions.csv` holds the challenger's, `champion_predictions.csv` the champion's, on the same rows.
Columns: `id` (the row's index in the holdout), `label`, `prediction`, `score` (the probability of the
predicted class), and `probability_0` to `probability_9`, from which the gate computes the log loss.
"""

from __future__ import annotations

import io
import tarfile
import zlib
from pathlib import Path

from torch import Tensor

from mnist_data import Digits
from network import CLASSES, ModelFileError, Network, load_network

MODEL_FILE = "model.pt"
ARTIFACT_FILE = "model.tar.gz"
CHALLENGER_FILE = "predictions.csv"
CHAMPION_FILE = "champion_predictions.csv"


def write_predictions(probabilities: Tensor, holdout: Digits, path: Path) -> float:
    """Write a network's predictions on the holdout.

    Parameters
    ----------
    probabilities : Tensor
        What the network answers to the holdout, shape (N, 10), on the CPU.
    holdout : Digits
        The rows, N of them.
    path : Path
        The CSV file to write.

    Returns
    -------
    float
        The accuracy, for the log; the gate computes its own.
    """
    scores, predictions = probabilities.max(dim=1)
    columns = zip(
        holdout.labels.tolist(), predictions.tolist(), scores.tolist(), probabilities.tolist(), strict=True
    )
    # Ten decimals: a probability written as 0 would make the log loss infinite where it is merely large.
    lines = [
        f"{row},{label},{guess},{score:.6f},{','.join(f'{value:.10f}' for value in values)}\n"
        for row, (label, guess, score, values) in enumerate(columns)
    ]
    names = ["id", "label", "prediction", "score", *(f"probability_{digit}" for digit in range(CLASSES))]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(",".join(names) + "\n" + "".join(lines))
    return accuracy(predictions, holdout.labels)


def accuracy(predictions: Tensor, labels: Tensor) -> float:
    """Return the share of predictions, shape (N,), that equal the labels, shape (N,)."""
    return float((predictions == labels).double().mean())


def load_champion(folder: Path) -> Network:
    """Load the champion from its channel: a packed `model.tar.gz`, or what was in it.

    Raises
    ------
    ModelFileError
        If there is no model, or it is not one of this program.
    """
    unpacked = sorted(folder.rglob(MODEL_FILE))
    if unpacked:
        return load_network(unpacked[0])
    packed = sorted(folder.rglob(ARTIFACT_FILE)) or sorted(folder.rglob("*.tar.gz"))
    if not packed:
        found = ", ".join(sorted(path.name for path in folder.rglob("*") if path.is_file())[:5])
        raise ModelFileError(f"it holds neither {ARTIFACT_FILE} nor {MODEL_FILE}; found {found or 'no file'}")
    try:
        with tarfile.open(packed[0]) as archive:
            # Read in memory: nothing is unpacked, so nothing in the archive can land anywhere.
            for member in archive:
                content = archive.extractfile(member) if Path(member.name).name == MODEL_FILE else None
                if content is not None:
                    return load_network(io.BytesIO(content.read()))
    except (tarfile.TarError, zlib.error, EOFError, OSError) as error:
        raise ModelFileError(f"{packed[0].name} is no archive that can be read: {error}") from error
    raise ModelFileError(f"{packed[0].name} holds no {MODEL_FILE}")
