"""A training program in script mode that takes no time: the nearest of the labels' centroids."""

import csv
import json
import os
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory

Row = tuple[str, float, float]
Model = dict[str, tuple[float, float]]


def read(folder: str) -> list[Row]:
    rows: list[Row] = []
    for file in sorted(Path(folder).glob("*.csv")):
        if file.name != "labels.csv":
            rows += [(row["label"], float(row["x"]), float(row["y"])) for row in csv.DictReader(file.open())]
    return rows


def fit(rows: list[Row]) -> Model:
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row[0], []).append(row)
    return {
        label: (sum(x for _, x, _ in group) / len(group), sum(y for _, _, y in group) / len(group))
        for label, group in groups.items()
    }


def predict(model: Model, x: float, y: float) -> str:
    return min(model, key=lambda label: (model[label][0] - x) ** 2 + (model[label][1] - y) ** 2)


def write_predictions(model: Model, rows: list[Row], file: Path) -> None:
    with file.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["id", "label", "prediction"])
        writer.writerows([row, label, predict(model, x, y)] for row, (label, x, y) in enumerate(rows))


def model_fn(folder: str) -> Model:
    model: Model = json.loads((Path(folder) / "model.json").read_text())
    return model


def predict_fn(data: list[list[float]], model: Model) -> list[str]:
    return [predict(model, x, y) for x, y in data]


def main() -> None:
    model = fit(read(os.environ["SM_CHANNEL_TRAINING"]))
    (Path(os.environ["SM_MODEL_DIR"]) / "model.json").write_text(json.dumps(model))
    holdout = read(os.environ["SM_CHANNEL_HOLDOUT"])
    output = Path(os.environ["SM_OUTPUT_DATA_DIR"])
    write_predictions(model, holdout, output / "predictions.csv")
    if champion := os.environ.get("SM_CHANNEL_CHAMPION"):
        with tarfile.open(Path(champion) / "model.tar.gz") as archive, TemporaryDirectory() as folder:
            archive.extract("model.json", folder, filter="data")
            write_predictions(model_fn(folder), holdout, output / "champion_predictions.csv")


if __name__ == "__main__":
    main()
