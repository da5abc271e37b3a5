"""The ONNX model: the same network, or none at all."""

from __future__ import annotations

import sys
from pathlib import Path

import onnxruntime
import pytest
import torch
from torch import nn

import onnx_export
from network import NETWORKS, Network, ThreeConvolutions, predict_probabilities
from onnx_export import ExportError, export_network

IMAGES = torch.randint(0, 256, (37, 28, 28), dtype=torch.uint8, generator=torch.Generator().manual_seed(4))


def trained(name: str) -> Network:
    """A network whose batch normalisation has measured something, as after a training."""
    torch.manual_seed(8)
    network = NETWORKS[name](dropout=0.5)
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            for values in (layer.weight, layer.bias, layer.running_mean, layer.running_var):
                assert values is not None
                values.data.uniform_(0.5, 1.5)
    return network


@pytest.mark.parametrize("name", NETWORKS)
def test_the_model_answers_as_the_network_does_for_any_number_of_images(name: str, tmp_path: Path) -> None:
    network = trained(name).train()

    difference = export_network(network, tmp_path / "model.onnx", IMAGES)

    assert difference < 1e-5
    assert network.training, "the network that was passed is left as it was"
    session = onnxruntime.InferenceSession((tmp_path / "model.onnx").read_bytes())
    for count in (1, 2, 37):
        (answers,) = session.run(["probabilities"], {"images": IMAGES[:count].numpy()})
        expected = predict_probabilities(network, IMAGES[:count])
        assert torch.allclose(torch.from_numpy(answers), expected, atol=1e-5)


def test_a_model_that_answers_otherwise_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = onnx_export.onnx_bytes(trained("three-convolutions"))
    monkeypatch.setattr(onnx_export, "onnx_bytes", lambda network: other)

    with pytest.raises(ExportError, match=r"a probability differs by 0\.\d+, tolerated is 1e-05"):
        export_network(ThreeConvolutions(), tmp_path / "model.onnx", IMAGES)

    assert not (tmp_path / "model.onnx").exists()


def test_weights_that_are_not_finite_are_not_exported(tmp_path: Path) -> None:
    network = ThreeConvolutions()
    nn.init.constant_(network.output.weight, float("nan"))

    with pytest.raises(ExportError, match="differs by nan"):
        export_network(network, tmp_path / "model.onnx", IMAGES)


def test_a_network_or_layer_that_is_not_known_is_refused() -> None:
    class Other(Network):
        name = "other"

    changed = ThreeConvolutions()
    changed.convolutions[2] = nn.Tanh()

    with pytest.raises(ExportError, match="the network 'other' is none that this exporter knows"):
        onnx_export.onnx_bytes(Other())
    with pytest.raises(ExportError, match="a layer Tanh has no counterpart"):
        onnx_export.onnx_bytes(changed)


@pytest.mark.parametrize("package", ["onnx", "onnxruntime"])
def test_a_missing_package_is_named(package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)

    with pytest.raises(ExportError, match=f"the package {package} cannot be imported"):
        export_network(ThreeConvolutions(), tmp_path / "model.onnx", IMAGES)
