"""Writes scikit-learn's breast cancer data as folders to upload: data.py FOLDER."""

import csv
import json
import random
import sys
from pathlib import Path

from sklearn.datasets import load_breast_cancer

target = Path(sys.argv[1])
found = load_breast_cancer()
names = [name.replace(" ", "_") for name in found.feature_names]
rows = [
    [str(number), str(found.target_names[truth]), *measurements.tolist()]
    for number, (measurements, truth) in enumerate(zip(found.data, found.target, strict=True))
]
random.Random(1).shuffle(rows)
holdout, training = rows[:269], rows[269:]


def write(file, header, rows):
    """Write a table, and the folders above it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", newline="") as stream:
        csv.writer(stream).writerows([header, *rows])


header = ["id", "diagnosis", *names]
write(target / "holdout" / "rows.csv", header, holdout)
sizes = ["large" if row[2] > 14 else "small" for row in holdout]  # the mean radius
labels = [[row[0], row[1], size] for row, size in zip(holdout, sizes, strict=True)]
write(target / "holdout" / "labels.csv", ["id", "label", "slice_size"], labels)
write(target / "few" / "a.csv", header, training[:25])
write(target / "more" / "b.csv", header, training[25:])
other = {"benign": "malignant", "malignant": "benign"}
write(target / "wrong" / "c.csv", header, [[row[0], other[row[1]], *row[2:]] for row in training * 2])
write(target / "broken" / "c.csv", header, [["1", "benign", "a lot", *training[0][3:]]])
(target / "ask.json").write_text(json.dumps([row[2:] for row in holdout]))
