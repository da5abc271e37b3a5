"""Writes the trained network as an ONNX model, which serves without torch: started at once, and small.

The graph is put together by hand, one node per layer, from the weights of network.py. torch's own exporters
take 0.7 s and a deprecated path, or a further compiler; this one takes 0.1 s, most of it the import of
`onnx`. That the result is the same network is not believed but compared, on images, each time.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from network import (
    CLASSES,
    IMAGE_SIZE,
    PIXEL_DEVIATION,
    PIXEL_MEAN,
    Network,
    NormalisedConvolutions,
    TwoConvolutions,
    predict_probabilities,
)

ONNX_FILE = "model.onnx"
INPUT, OUTPUT = "images", "probabilities"

# The largest difference of a probability that counts as the same. Both sum the same float32 products in
# another order, which moves a probability by some 1e-7; the endpoint's answers are rounded to 1e-6.
TOLERANCE = 1e-5
# Versions of the format that ONNX Runtime has read since 2021.
OPSET, IR_VERSION = 13, 8


class ExportError(Exception):
    """The network cannot be written as an ONNX model that answers as it does itself."""


class _Graph:
    """Collects the nodes and weights of a graph in which each node feeds the next."""

    def __init__(self, last: str) -> None:
        self.nodes: list[Any] = []
        self.weights: list[Any] = []
        self.last = last

    def add(self, kind: str, *weights: NDArray[Any], **attributes: Any) -> None:
        """Append a node that takes the last one's result, and weights."""
        from onnx import helper, numpy_helper

        number = len(self.nodes)
        names = [f"{kind.lower()}_{number}_{place}" for place in range(len(weights))]
        self.weights += [
            numpy_helper.from_array(array, name) for array, name in zip(weights, names, strict=True)
        ]
        result = f"{kind.lower()}_{number}"
        self.nodes.append(helper.make_node(kind, [self.last, *names], [result], **attributes))
        self.last = result

    def layers(self, layers: Sequence[nn.Module]) -> None:
        """Append the nodes of torch's layers."""
        for layer in layers:
            if isinstance(layer, nn.Conv2d):
                pads = [int(side) for side in layer.padding] * 2
                bias = () if layer.bias is None else (_array(layer.bias),)
                self.add("Conv", _array(layer.weight), *bias, strides=list(layer.stride), pads=pads)
            elif isinstance(layer, nn.BatchNorm2d):
                measured = (layer.weight, layer.bias, layer.running_mean, layer.running_var)
                self.add("BatchNormalization", *(_array(value) for value in measured), epsilon=layer.eps)
            elif isinstance(layer, nn.ReLU):
                self.add("Relu")
            elif isinstance(layer, nn.MaxPool2d):
                side = int(layer.kernel_size)  # type: ignore[arg-type]
                self.add("MaxPool", kernel_shape=[side, side], strides=[side, side])
            elif isinstance(layer, nn.Flatten):
                self.add("Flatten", axis=1)
            elif isinstance(layer, nn.Linear):
                self.add("Gemm", _array(layer.weight), _array(layer.bias), transB=1)
            else:
                raise ExportError(f"a layer {type(layer).__name__} has no counterpart in this exporter")


def _array(value: Tensor | None) -> NDArray[Any]:
    assert value is not None  # noqa: S101 - none of this program's layers lacks what it is asked for
    return value.detach().contiguous().numpy()


def _layers(network: Network) -> list[nn.Module]:
    """Return what the network does to an image, one layer after the other, dropout left out."""
    pool, relu, flatten = nn.MaxPool2d(2), nn.ReLU(), nn.Flatten()
    if isinstance(network, TwoConvolutions):
        first = [network.conv1, pool, relu, network.conv2, pool, relu]
        return [*first, flatten, network.hidden, relu, network.output]
    if isinstance(network, NormalisedConvolutions):
        return [*network.convolutions, flatten, network.output]
    raise ExportError(f"the network {network.name!r} is none that this exporter knows")


def onnx_bytes(network: Network) -> bytes:
    """Return the network as an ONNX model.

    It takes `images`, uint8 of shape (N, 28, 28), and gives `probabilities`, float32 of shape (N, 10).

    Raises
    ------
    ExportError
        If the network has a layer that is not known here, or the package `onnx` is missing.
    """
    try:
        from onnx import TensorProto, checker, helper
    except ImportError as error:
        raise ExportError(
            f"the package onnx cannot be imported ({error}); add it to requirements.txt"
        ) from error

    graph = _Graph(INPUT)
    graph.add("Cast", to=TensorProto.FLOAT)
    graph.add("Mul", np.array(1.0 / (255.0 * PIXEL_DEVIATION), dtype=np.float32))
    graph.add("Sub", np.array(PIXEL_MEAN / PIXEL_DEVIATION, dtype=np.float32))
    graph.add("Unsqueeze", np.array([1], dtype=np.int64))
    graph.layers(_layers(network))
    graph.add("Softmax", axis=1)
    graph.nodes[-1].output[0] = OUTPUT
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            network.name,
            [helper.make_tensor_value_info(INPUT, TensorProto.UINT8, ["N", IMAGE_SIZE, IMAGE_SIZE])],
            [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["N", CLASSES])],
            graph.weights,
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="retrain",
    )
    checker.check_model(model)
    content: bytes = model.SerializeToString()
    return content


def export_network(network: Network, path: Path, images: Tensor) -> float:
    """Write the network as an ONNX model, after comparing the two.

    Parameters
    ----------
    network : Network
        The trained network, on any device.
    path : Path
        The file to write; it is not written if the export fails.
    images : Tensor
        uint8, shape (N, 28, 28): what the two are compared on.

    Returns
    -------
    float
        The largest difference of a probability.

    Raises
    ------
    ExportError
        If the network cannot be exported, or a probability differs by more than TOLERANCE.
    """
    # On the CPU, where the served model computes: a GPU's own rounding is no fault of the export.
    plain = copy.deepcopy(network).cpu().eval()
    content = onnx_bytes(plain)
    try:
        from onnxruntime import InferenceSession, SessionOptions
    except ImportError as error:
        raise ExportError(f"the package onnxruntime cannot be imported ({error})") from error
    options = SessionOptions()
    options.intra_op_num_threads = 1  # torch's threads may still spin
    session = InferenceSession(content, options, providers=["CPUExecutionProvider"])
    (answers,) = session.run([OUTPUT], {INPUT: images.cpu().numpy()})
    expected = predict_probabilities(plain, images.cpu()).numpy()
    difference = float(np.abs(answers - expected).max())
    if not difference <= TOLERANCE:  # true for NaN as well
        raise ExportError(
            f"the ONNX model answers otherwise than the network: a probability differs by {difference:g}, "
            f"tolerated is {TOLERANCE:g}"
        )
    path.write_bytes(content)
    return difference
