"""Is a tumour malignant? Logistic regression on CSV rows: id, diagnosis, and thirty measurements."""

import base64
import csv
import json
import os
import tarfile
from pathlib import Path

import numpy as np

CLASSES = ["benign", "malignant"]


def read(folder):
    """Read all rows of a folder: ids, diagnoses, measurements."""
    rows = []
    for file in sorted(Path(folder).rglob("*.csv")):
        if file.name != "labels.csv":
            rows += list(csv.reader(file.open()))[1:]
    return (
        [row[0] for row in rows],
        [row[1] for row in rows],
        np.array([row[2:] for row in rows], float),
    )


def fit(measurements, diagnoses, ridge):
    """Fit by Newton's method."""
    mean, scale = measurements.mean(0), measurements.std(0) + 1e-9
    x = np.column_stack([np.ones(len(measurements)), (measurements - mean) / scale])
    y = np.array(diagnoses) == "malignant"
    weights, penalty = np.zeros(x.shape[1]), ridge * np.eye(x.shape[1])
    for _ in range(15):
        p = 1 / (1 + np.exp(-x @ weights))
        weights -= np.linalg.solve((x.T * (p * (1 - p))) @ x + penalty, x.T @ (p - y) + penalty @ weights)
    return {"mean": mean.tolist(), "scale": scale.tolist(), "weights": weights.tolist()}


def probabilities(model, measurements):
    """Return how likely each row is malignant."""
    x = (np.asarray(measurements, float) - model["mean"]) / model["scale"]
    return 1 / (1 + np.exp(-(x @ model["weights"][1:] + model["weights"][0])))


def write_predictions(model, ids, diagnoses, measurements, file):
    """Write what the gate judges; probabilities are for the metric log_loss."""
    with file.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["id", "label", "prediction", "probability_benign", "probability_malignant"])
        for i, diagnosis, p in zip(ids, diagnoses, probabilities(model, measurements), strict=True):
            writer.writerow([i, diagnosis, CLASSES[int(p > 0.5)], 1 - p, p])


def write_verification(ids, measurements, file):
    """Write requests that the live endpoint is asked before it is left alone; its answer is a list."""
    with file.open("w") as stream:
        for i, row in list(zip(ids, measurements.tolist(), strict=True))[:: len(ids) // 50]:
            body = base64.b64encode(json.dumps([row]).encode()).decode()
            request = {"id": i, "content_type": "application/json", "body": body, "answer_path": "[0]"}
            stream.write(json.dumps(request) + "\n")


def model_fn(folder):
    """Load the model for serving."""
    return json.loads((Path(folder) / "model.json").read_text())


def predict_fn(data, model):
    """Answer a request: a JSON list of rows, each of thirty measurements."""
    return [CLASSES[int(p > 0.5)] for p in probabilities(model, data)]


if __name__ == "__main__":
    _, diagnoses, measurements = read(os.environ["SM_CHANNEL_TRAINING"])
    model = fit(measurements, diagnoses, ridge=float(os.environ.get("SM_HP_RIDGE", "1")))
    print(f"{len(diagnoses)} rows")
    (Path(os.environ["SM_MODEL_DIR"]) / "model.json").write_text(json.dumps(model))

    holdout = read(os.environ["SM_CHANNEL_HOLDOUT"])
    output = Path(os.environ["SM_OUTPUT_DATA_DIR"])
    write_predictions(model, *holdout, output / "predictions.csv")
    write_verification(holdout[0], holdout[2], output / "verify.jsonl")
    if champion := os.environ.get("SM_CHANNEL_CHAMPION"):
        with tarfile.open(Path(champion) / "model.tar.gz") as archive:
            before = json.load(archive.extractfile("model.json"))
        write_predictions(before, *holdout, output / "champion_predictions.csv")
