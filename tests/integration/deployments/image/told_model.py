"""Trains a model that gives each row its number's last digit, and that misbehaves as it is told to.

The dataset is one file, behaviour.json, and becomes the model. All of it may be left out:

- name: what every answer is signed with;
- shift: how far the live model's answers are off what the program predicted;
- fail_every: every so many requests are answered with status 500;
- broken: why the server does not start;
- unverifiable: no verify.jsonl is written.

A request is a row's number. The request `boom` fails whatever the model.
"""

import base64
import csv
import http.server
import itertools
import json
import os
import shutil
import signal
import sys
import threading
from pathlib import Path
from typing import ClassVar

BASE = Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"))
BEHAVIOUR = "behaviour.json"


def train() -> int:
    data, output = BASE / "input" / "data", BASE / "output" / "data"
    shutil.copy(data / "training" / BEHAVIOUR, BASE / "model" / BEHAVIOUR)
    with (data / "holdout" / "labels.csv").open() as file:
        rows = list(csv.DictReader(file))
    predictions = [f"{row['id']},{row['label']},{int(row['id']) % 10}" for row in rows]
    (output / "predictions.csv").write_text("\n".join(["id,label,prediction", *predictions, ""]))
    if not json.loads((BASE / "model" / BEHAVIOUR).read_text()).get("unverifiable"):
        requests = [
            {
                "id": row["id"],
                "content_type": "text/plain",
                "body": base64.b64encode(row["id"].encode()).decode(),
            }
            for row in rows
        ]
        (output / "verify.jsonl").write_text("".join(f"{json.dumps(request)}\n" for request in requests))
    return 0


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    behaviour: ClassVar[dict] = {}
    numbers = itertools.count(1)
    lock = threading.Lock()

    def do_GET(self):
        self.answer(200, {})

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
        every = self.behaviour.get("fail_every")
        with self.lock:
            number = next(self.numbers)
        if body == "boom" or (every and number % every == 0):
            self.answer(500, {"error": "as told"})
            return
        label = (int(body) + self.behaviour.get("shift", 0)) % 10
        self.answer(200, {"predictions": [{"label": label}], "name": self.behaviour.get("name")})

    def answer(self, status, document):
        content = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_arguments):
        pass


def serve() -> int:
    Handler.behaviour = json.loads((BASE / "model" / BEHAVIOUR).read_text())
    if Handler.behaviour.get("broken"):
        raise RuntimeError(Handler.behaviour["broken"])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    address = (os.environ["BIND_HOST"], int(os.environ["SAGEMAKER_BIND_TO_PORT"]))
    http.server.ThreadingHTTPServer(address, Handler).serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit({"train": train, "serve": serve}[sys.argv[1]]())
