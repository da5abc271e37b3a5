"""LitServe and torch, as its documentation shows it. FOLDER holds network.py and model.pt.

    python litserve_torch.py PORT FOLDER MOST_TOGETHER

It reads bodies as JSON, so that the image comes in base64. With MOST_TOGETHER above 1 it predicts batches.
"""

import base64
import sys
from pathlib import Path

PORT, FOLDER, MOST_TOGETHER = int(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
sys.path.insert(0, str(FOLDER))

import litserve  # noqa: E402
import torch  # noqa: E402

from network import load_network, predict_probabilities  # noqa: E402


class Digits(litserve.LitAPI):
    def setup(self, device: str) -> None:
        self.network = load_network(FOLDER / "model.pt")

    def decode_request(self, request: dict) -> torch.Tensor:
        return torch.frombuffer(bytearray(base64.b64decode(request["image"])), dtype=torch.uint8)

    def batch(self, inputs: list) -> torch.Tensor:
        return torch.stack(inputs)

    def predict(self, images: torch.Tensor) -> torch.Tensor:
        return predict_probabilities(self.network, images.reshape(-1, 28, 28))

    def unbatch(self, output: torch.Tensor) -> list:
        return [row[None] for row in output]

    def encode_response(self, output: torch.Tensor) -> dict:
        return {
            "predictions": [
                {"label": int(row.argmax()), "probabilities": [round(value, 6) for value in row.tolist()]}
                for row in output
            ]
        }


if __name__ == "__main__":
    together = {"max_batch_size": MOST_TOGETHER, "batch_timeout": 0.005} if MOST_TOGETHER > 1 else {}
    server = litserve.LitServer(Digits(**together), accelerator="cpu")
    server.run(host="127.0.0.1", port=PORT, generate_client_file=False, log_level="warning")
