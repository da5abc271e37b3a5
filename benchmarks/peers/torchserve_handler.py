"""A handler for TorchServe, which calls `handle` with a list of requests; beside it lies the model."""

from pathlib import Path

import torch

from network import load_network, predict_probabilities

network = None


def handle(data: list, context: object) -> list:
    global network
    if network is None:
        network = load_network(Path(context.system_properties["model_dir"]) / "model.pt")
    if not data:
        return []
    images = torch.stack([torch.frombuffer(bytearray(row["body"]), dtype=torch.uint8) for row in data])
    return [
        {"predictions": [{"label": int(row.argmax()), "probabilities": [round(v, 6) for v in row.tolist()]}]}
        for row in predict_probabilities(network, images.reshape(-1, 28, 28))
    ]
