"""The training loop, in process: settings, schedule, resuming, predictions, and what it refuses."""

from __future__ import annotations

import csv
import io
import json
import math
import tarfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

import inference
import mnist_data
import onnx_export
import predictions
import train
from hosts import Hosts
from network import ModelFileError, TwoConvolutions, load_network, predict_probabilities, save_network
from recipes import Hyperparameters, hyperparameters
from settings import Places, SettingsError, places_from_environment
from tests.unit.training.digits import write_pair

QUICK = Hyperparameters(epochs=2, batch_size=50, dropout=0.2)
ONE_HOST = Hosts(0, 1, torch.device("cpu"))


@pytest.fixture(autouse=True)
def _keep_random_state() -> Iterator[None]:
    state = torch.get_rng_state()
    yield
    torch.set_rng_state(state)


@pytest.fixture
def places(tmp_path: Path) -> Places:
    write_pair(tmp_path / "training", 600)
    write_pair(tmp_path / "holdout", 100, prefix="t10k", seed=1)
    return Places(
        training=tmp_path / "training",
        holdout=tmp_path / "holdout",
        champion=None,
        model=tmp_path / "model",
        output=tmp_path / "output",
        checkpoints=tmp_path / "checkpoints",
    )


def moved(places: Places, **changes: Path | None) -> Places:
    return Places(**{**vars(places), **changes})


def weights(places: Places) -> dict[str, torch.Tensor]:
    return load_network(places.model / "model.pt").state_dict()


def rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text())))


def test_hyperparameters_take_hyphens_and_underscores() -> None:
    parsed = hyperparameters(["--batch-size", "32", "--learning_rate", "0.2", "--augment", "True"])

    assert parsed == Hyperparameters(batch_size=32, learning_rate=0.2, augment=True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--epoch", "3"], "unrecognized arguments: --epoch 3"),
        (["--epochs", "0"], "0 is outside 1 to any"),
        (["--epochs", "many"], "'many' is not a whole number"),
        (["--learning-rate", "nan"], "nan is outside 0"),
        (["--learning-rate", "fast"], "'fast' is not a number"),
        (["--dropout", "1.5"], "1.5 is outside 0 to 0.9"),
        (["--augment", "perhaps"], "'perhaps' is neither true nor false"),
    ],
)
def test_wrong_hyperparameters_are_refused(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        hyperparameters(arguments)

    assert caught.value.code == 2
    assert message in capsys.readouterr().err


def test_places_come_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path))
    monkeypatch.setenv("SM_CHANNEL_TRAINING", str(tmp_path))
    monkeypatch.setenv("SM_CHANNEL_CHAMPION", str(tmp_path / "champion"))
    monkeypatch.delenv("SM_MODEL_DIR", raising=False)

    found = places_from_environment()

    assert found.model == tmp_path / "model"
    assert found.checkpoints == tmp_path / "checkpoints"
    assert found.champion == tmp_path / "champion"
    assert found.holdout is None


def test_without_training_channel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SM_CHANNEL_TRAINING", raising=False)
    monkeypatch.delenv("SM_CHANNEL_TRAIN", raising=False)

    with pytest.raises(SettingsError, match=r"SM_CHANNEL_TRAINING is not set.*channel called 'training'"):
        places_from_environment()


def test_schedule_rises_and_falls_in_straight_lines() -> None:
    assert train.schedule(0.0, 0.25) == pytest.approx(0.1)
    assert train.schedule(0.25, 0.25) == pytest.approx(1.0)
    assert train.schedule(0.625, 0.25) == pytest.approx(0.5)
    assert train.schedule(1.0, 0.25) == 0.0
    assert train.schedule(0.0, 0.0) == 1.0
    assert train.schedule(1.0, 1.0) == 1.0


@pytest.mark.parametrize(("count", "batch", "hosts"), [(100, 32, 1), (101, 32, 2), (7, 64, 3), (64, 1, 4)])
def test_batches_are_shared_evenly(count: int, batch: int, hosts: int) -> None:
    bounds = train.batch_bounds(count, batch, hosts)

    assert bounds[0][0] == 0
    assert all((end - start) % hosts == 0 and start < end for start, end in bounds)
    assert count - hosts < bounds[-1][1] <= count


def test_too_few_images_for_the_hosts() -> None:
    with pytest.raises(train.TrainingError, match=r"1 image\(s\) are too few for 2 hosts"):
        train.batch_bounds(1, 64, 2)


def test_one_image_is_enough_for_one_host(places: Places) -> None:
    (places.training / "train-images-idx3-ubyte").unlink()
    (places.training / "train-labels-idx1-ubyte").unlink()
    write_pair(places.training, 1)

    train.train(Hyperparameters(epochs=1), places, ONE_HOST)

    assert (places.model / "model.pt").is_file()


def test_a_training_learns_and_writes_what_the_contract_says(
    places: Places, capsys: pytest.CaptureFixture[str]
) -> None:
    train.train(Hyperparameters(epochs=3, batch_size=32, augment=True), places, ONE_HOST)

    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("epoch=")]
    assert [line.split()[0] for line in lines] == ["epoch=1/3", "epoch=2/3", "epoch=3/3"]
    names = [part.split("=")[0] for part in lines[0].split()]
    assert names == ["epoch", "train_loss", "holdout_accuracy", "seconds", "samples_per_second"]
    found = rows(places.output / "predictions.csv")
    assert list(found[0])[:5] == ["id", "label", "prediction", "score", "probability_0"]
    assert [row["id"] for row in found] == [str(index) for index in range(100)]
    holdout = mnist_data.load_holdout(places.training.parent / "holdout")
    assert [int(row["label"]) for row in found] == holdout.labels.tolist()
    assert all(0.1 <= float(row["score"]) <= 1 for row in found)
    assert sum(row["label"] == row["prediction"] for row in found) > 40
    asked = [json.loads(line)["id"] for line in (places.output / "verify.jsonl").read_text().splitlines()]
    assert asked == [row["id"] for row in found]
    assert not (places.output / "champion_predictions.csv").exists()
    saved = torch.load(places.model / "model.pt", weights_only=True)
    assert saved["versions"]["torch"] == torch.__version__
    assert saved["training"]["hyperparameters"]["batch_size"] == 32
    assert {path.name for path in (places.model / "code").iterdir()} == {"inference.py", "network.py"}
    served = inference.predict_fn(holdout.images.numpy(), inference.model_fn(str(places.model)))
    told = [[float(row[f"probability_{digit}"]) for digit in range(10)] for row in found]
    assert np.allclose(served, told, atol=1e-5)
    assert (places.model / "model.onnx").is_file()


def test_the_same_seed_gives_the_same_model(places: Places, tmp_path: Path) -> None:
    other = moved(places, model=tmp_path / "model-2", checkpoints=tmp_path / "checkpoints-2")

    train.train(QUICK, places, ONE_HOST)
    train.train(QUICK, other, ONE_HOST)

    assert all(torch.equal(weights(places)[name], value) for name, value in weights(other).items())


def test_an_interrupted_training_goes_on_as_if_it_had_not_been(
    places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    train.train(QUICK, places, ONE_HOST)
    whole = weights(places)
    again = moved(places, model=tmp_path / "model-2", checkpoints=tmp_path / "checkpoints-2")
    save = train.save_checkpoint

    def save_and_lose_the_instance(folder: Path, state: dict[str, object]) -> None:
        save(folder, state)
        raise KeyboardInterrupt

    monkeypatch.setattr(train, "save_checkpoint", save_and_lose_the_instance)
    with pytest.raises(KeyboardInterrupt):
        train.train(QUICK, again, ONE_HOST)
    monkeypatch.undo()
    capsys.readouterr()

    train.train(QUICK, again, ONE_HOST)

    out = capsys.readouterr().out
    assert "resumed from the checkpoint after epoch 1/2" in out
    assert "epoch=1/2" not in out
    assert all(torch.equal(whole[name], value) for name, value in weights(again).items())


def test_a_finished_training_is_not_repeated(places: Places, capsys: pytest.CaptureFixture[str]) -> None:
    train.train(QUICK, places, ONE_HOST)
    before = weights(places)
    capsys.readouterr()

    train.train(QUICK, places, ONE_HOST)

    assert "epoch=" not in capsys.readouterr().out
    assert all(torch.equal(before[name], value) for name, value in weights(places).items())


def test_a_checkpoint_of_another_training_is_not_used(
    places: Places, capsys: pytest.CaptureFixture[str]
) -> None:
    train.train(QUICK, places, ONE_HOST)
    write_pair(places.training, 500, seed=9)

    train.train(Hyperparameters(epochs=1), places, ONE_HOST)

    captured = capsys.readouterr()
    assert "belongs to a training with another batch_size, data, dropout, epochs" in captured.err
    assert "epoch=1/1" in captured.out


def test_a_spoiled_checkpoint_is_not_used(places: Places, capsys: pytest.CaptureFixture[str]) -> None:
    places.checkpoints.mkdir()
    (places.checkpoints / "checkpoint.pt").write_bytes(b"spoiled")

    train.train(Hyperparameters(epochs=1), places, ONE_HOST)

    captured = capsys.readouterr()
    assert "the checkpoint cannot be read" in captured.err
    assert "epoch=1/1" in captured.out


def test_a_training_that_diverges_says_what_to_do(places: Places) -> None:
    with pytest.raises(train.TrainingError, match=r"diverged.*nan.*Lower --learning-rate"):
        train.train(Hyperparameters(epochs=1, learning_rate=1e20, batch_size=10), places, ONE_HOST)


def test_without_holdout_there_are_no_predictions(places: Places, capsys: pytest.CaptureFixture[str]) -> None:
    train.train(Hyperparameters(epochs=1), moved(places, holdout=None), ONE_HOST)

    out = capsys.readouterr().out
    assert "no channel 'holdout': no predictions are written" in out
    assert "holdout_accuracy" not in out
    assert not places.output.exists()
    assert (places.model / "model.pt").is_file()


def test_a_model_that_cannot_be_exported_is_served_by_torch_and_said_loudly(
    places: Places, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    places.model.mkdir()
    (places.model / "model.onnx").write_bytes(b"of an interrupted attempt")
    monkeypatch.setattr(onnx_export, "TOLERANCE", -1.0)

    train.train(Hyperparameters(epochs=1), places, ONE_HOST)

    told = capsys.readouterr().err
    assert "WARNING: there is no model.onnx, so the endpoint will serve model.pt with torch" in told
    assert not (places.model / "model.onnx").exists()
    assert inference.predict_fn(np.zeros((1, 28, 28), np.uint8), inference.model_fn(str(places.model))).shape


def pack(source: Path, artifact: Path) -> None:
    artifact.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(artifact, "w:gz") as archive:
        archive.add(source, arcname=".")


@pytest.mark.parametrize("packed", [True, False])
def test_the_champion_predicts_on_the_same_rows(places: Places, tmp_path: Path, packed: bool) -> None:
    champion = tmp_path / "champion"
    (tmp_path / "artifact").mkdir()
    torch.manual_seed(5)
    network = TwoConvolutions()
    save_network(network, tmp_path / "artifact" / "model.pt", {})
    if packed:
        pack(tmp_path / "artifact", champion / "model.tar.gz")
    else:
        (tmp_path / "artifact").rename(champion)

    train.train(Hyperparameters(epochs=1), moved(places, champion=champion), ONE_HOST)

    found = rows(places.output / "champion_predictions.csv")
    mine = rows(places.output / "predictions.csv")
    assert [(row["id"], row["label"]) for row in found] == [(row["id"], row["label"]) for row in mine]
    expected = predict_probabilities(network, mnist_data.load_holdout(tmp_path / "holdout").images).argmax(1)
    assert [int(row["prediction"]) for row in found] == expected.tolist()


def _empty(folder: Path) -> None:
    folder.mkdir()


def _no_archive(folder: Path) -> None:
    folder.mkdir()
    (folder / "model.tar.gz").write_bytes(b"no archive")


def _cut_archive(folder: Path) -> None:
    folder.mkdir()
    save_network(TwoConvolutions(), folder.parent / "model.pt", {})
    pack(folder.parent / "model.pt", folder / "model.tar.gz")
    content = (folder / "model.tar.gz").read_bytes()
    (folder / "model.tar.gz").write_bytes(content[: len(content) // 2])


def _archive_without_model(folder: Path) -> None:
    folder.mkdir()
    (folder / "other.txt").write_text("no model")
    with tarfile.open(folder / "model.tar.gz", "w:gz") as archive:
        archive.add(folder / "other.txt", arcname="other.txt")


def _spoiled_weights(folder: Path) -> None:
    folder.mkdir()
    (folder / "model.pt").write_bytes(b"no weights")


def _another_network(folder: Path) -> None:
    folder.mkdir()
    torch.save({"config": {"network": "resnet"}, "state_dict": {}}, folder / "model.pt")


def _other_weights(folder: Path) -> None:
    folder.mkdir()
    saved = {"config": TwoConvolutions().config(), "state_dict": {"conv1.weight": torch.zeros(3)}}
    torch.save(saved, folder / "model.pt")


def _whole_module(folder: Path) -> None:
    folder.mkdir()
    torch.save(torch.nn.Linear(2, 2), folder / "model.pt")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (_empty, "neither model.tar.gz nor model.pt; found no file"),
        (_no_archive, "no archive that can be read"),
        (_cut_archive, "can"),
        (_archive_without_model, "model.tar.gz holds no model.pt"),
        (_spoiled_weights, "cannot be read as saved weights"),
        (_another_network, "holds the network 'resnet'"),
        (_other_weights, "does not fit the network"),
        (_whole_module, "cannot be read as saved weights"),
    ],
)
def test_a_champion_that_cannot_be_loaded_is_said_loudly_and_left_to_the_gate(
    places: Places, tmp_path: Path, spoil: object, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    champion = tmp_path / "champion"
    spoil(champion)  # type: ignore[operator]

    with pytest.raises(ModelFileError, match=message):
        predictions.load_champion(champion)
    train.train(Hyperparameters(epochs=1), moved(places, champion=champion), ONE_HOST)

    assert (
        "WARNING: the champion cannot be loaded, so there is no champion_predictions.csv"
        in capsys.readouterr().err
    )
    assert not (places.output / "champion_predictions.csv").exists()
    assert len(rows(places.output / "predictions.csv")) == 100


def test_a_model_file_without_configuration(tmp_path: Path) -> None:
    torch.save({"weights": 1}, tmp_path / "model.pt")

    with pytest.raises(ModelFileError, match="no 'config'"):
        load_network(tmp_path / "model.pt")


def test_a_missing_model_file(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"model\.pt cannot be read"):
        load_network(tmp_path / "model.pt")


def test_the_network_is_the_classic_one() -> None:
    shapes = {name: tuple(value.shape) for name, value in TwoConvolutions().state_dict().items()}

    assert shapes["conv1.weight"] == (10, 1, 5, 5)
    assert shapes["conv2.weight"] == (20, 10, 5, 5)
    assert shapes["hidden.weight"] == (50, 320)
    assert shapes["output.weight"] == (10, 50)


def test_probabilities_add_up_and_do_not_depend_on_the_batch() -> None:
    images = torch.randint(0, 256, (7, 28, 28), dtype=torch.uint8)
    network = TwoConvolutions()

    together = predict_probabilities(network, images)
    one_by_one = predict_probabilities(network, images, batch_size=1)

    assert together.shape == (7, 10)
    assert torch.allclose(together.sum(1), torch.ones(7), atol=1e-5)
    assert torch.allclose(together, one_by_one, atol=1e-5)
    assert predict_probabilities(network, images[:0]).shape == (0, 10)


def test_accuracy() -> None:
    assert predictions.accuracy(torch.tensor([1, 2, 3, 4]), torch.tensor([1, 2, 3, 0])) == 0.75
    assert math.isnan(predictions.accuracy(torch.tensor([]), torch.tensor([])))
