"""The programs of docs/authoring.md run as they stand, and the endpoints that they make answer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from retrain.localcloud import process
from tests.integration.test_published_pipeline import digits, idx

PROJECT = Path(__file__).resolve().parents[3]
BUCKET = "authored-digits"


@pytest.fixture(scope="module")
def data(aws: Any) -> None:
    """Digits where docs/examples/digits_data.py puts MNIST, without fetching it."""
    s3 = aws("s3")
    s3.create_bucket(Bucket=BUCKET)
    for name, count, seed in (("train", 4000, 1), ("t10k", 500, 2)):
        pictures, labels = digits(count, seed)
        for kind, array in (("images-idx3", pictures), ("labels-idx1", labels)):
            s3.put_object(Bucket=BUCKET, Key=f"data/mnist/MNIST/raw/{name}-{kind}-ubyte", Body=idx(array))


@pytest.mark.timeout(180)
@pytest.mark.parametrize("program", ["pipeline_by_steps", "pipeline_by_template", "pipeline_by_language"])
def test_the_example_runs(
    program: str, data: None, right_answers: Any, local_cloud: process.LocalCloud
) -> None:
    done = subprocess.run(
        [sys.executable, f"docs/examples/{program}.py"],
        cwd=PROJECT,
        env={**os.environ, **process.environment(local_cloud), "PYTHONWARNINGS": "error"},
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for state in ("Train", "Deploy" if "template" in program else "Create endpoint"):
        assert state in done.stdout
    output = json.loads(done.stdout.splitlines()[0].replace("'", '"'))
    assert right_answers(output["EndpointArn"].rsplit("/", 1)[-1]) >= 0.9
