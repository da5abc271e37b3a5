"""The usual way: FastAPI and torch. FOLDER holds network.py and model.pt.

python fastapi_torch.py PORT FOLDER
"""

import sys
from pathlib import Path

PORT, FOLDER = int(sys.argv[1]), Path(sys.argv[2])
sys.path.insert(0, str(FOLDER))

import torch  # noqa: E402
import uvicorn  # noqa: E402
from fastapi import FastAPI, Request  # noqa: E402

from network import load_network, predict_probabilities  # noqa: E402

app = FastAPI()
network = load_network(FOLDER / "model.pt")


@app.post("/invocations")
async def invocations(request: Request) -> dict:
    body = await request.body()
    images = torch.frombuffer(bytearray(body), dtype=torch.uint8).reshape(-1, 28, 28)
    probabilities = predict_probabilities(network, images)
    return {
        "predictions": [
            {"label": int(row.argmax()), "probabilities": [round(value, 6) for value in row.tolist()]}
            for row in probabilities
        ]
    }


uvicorn.run(app, host="127.0.0.1", port=PORT, log_level="warning", access_log=False)
