"""As little as possible: Starlette and ONNX Runtime, nothing checked. FOLDER holds model.onnx.

python starlette_onnx.py PORT FOLDER
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

PORT, FOLDER = int(sys.argv[1]), Path(sys.argv[2])
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(str(FOLDER / "model.onnx"), options)


async def invocations(request: Request) -> Response:
    images = np.frombuffer(await request.body(), np.uint8).reshape(-1, 28, 28)
    (probabilities,) = session.run(None, {"images": images})
    predictions = [
        {"label": label, "probabilities": [round(value, 6) for value in row]}
        for label, row in zip(probabilities.argmax(axis=1).tolist(), probabilities.tolist(), strict=True)
    ]
    return Response(json.dumps({"predictions": predictions}), media_type="application/json")


app = Starlette(routes=[Route("/invocations", invocations, methods=["POST"])])
uvicorn.run(app, host="127.0.0.1", port=PORT, log_level="warning", access_log=False)
