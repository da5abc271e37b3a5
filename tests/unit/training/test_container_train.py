"""`python -m container train`, run as the platform runs it: a process over a folder in place of /opt/ml."""

from __future__ import annotations

import json
import os
import signal
import socket
import tarfile
import textwrap
from pathlib import Path

import pytest

from network import load_network
from tests.unit.training.digits import write_pair
from tests.unit.training.job import Job, finish

QUICK = {"epochs": "1", "dropout": "0"}


def script_job(base: Path, script: str, hyperparameters: dict[str, str] | None = None, **files: str) -> Job:
    """Make a job in script mode whose `mnist.py` is the script."""
    submitted = base.with_name(f"{base.name}-sourcedir.tar.gz")
    source = base.with_name(f"{base.name}-source")
    source.mkdir(parents=True)
    (source / "mnist.py").write_text(textwrap.dedent(script))
    for name, content in files.items():
        (source / name.replace("__", ".")).write_text(content)
    with tarfile.open(submitted, "w:gz") as archive:
        for path in source.iterdir():
            archive.add(path, arcname=path.name)
    mode = {"sagemaker_program": '"mnist.py"', "sagemaker_submit_directory": json.dumps(str(submitted))}
    return Job.make(base, mode | (hyperparameters or {}), images=0)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def test_the_images_own_program_trains(tmp_path: Path) -> None:
    job = Job.make(tmp_path / "ml", {"epochs": "2", "batch-size": '"32"', "sagemaker_region": "us-east-1"})

    done = job.run()

    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    epochs = [line for line in done.stdout.splitlines() if line.startswith("epoch=")]
    assert [line.split()[0] for line in epochs] == ["epoch=1/2", "epoch=2/2"]
    assert "batch_size=32" in done.stdout
    lines = job.predictions.read_text().splitlines()
    assert lines[0] == "id,label,prediction,score," + ",".join(f"probability_{digit}" for digit in range(10))
    assert len(lines) == 301
    right = sum(line.split(",")[1] == line.split(",")[2] for line in lines[1:])
    assert right / 300 > 0.9
    assert load_network(job.model / "model.pt").config()["network"] == "four-convolutions"
    assert job.failure is None
    assert (job.base / "checkpoints" / "checkpoint.pt").is_file()


@pytest.mark.parametrize("recipe", ["classic", "accurate"])
def test_two_hosts_train_one_model_the_same_as_one_host_would(tmp_path: Path, recipe: str) -> None:
    # At a low learning rate, so that rounding, in which whole and halved batches differ, stays as small as it
    # is.
    hyperparameters = QUICK | {"recipe": recipe, "shift": "0", "learning-rate": "0.02"}
    port = str(free_port())
    meeting = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "GLOO_SOCKET_IFNAME": "lo"}
    hosts = ("algo-1", "algo-2")
    jobs = [Job.make(tmp_path / host, hyperparameters, hosts=hosts, host=host) for host in hosts]
    alone = Job.make(tmp_path / "alone", hyperparameters)

    running = [job.start(**meeting) for job in jobs]
    done = [finish(process) for process in running]
    single = alone.run()

    assert [process.returncode for process in done] == [0, 0], [process.stderr for process in done]
    assert single.returncode == 0
    assert "2 host(s)" in done[0].stdout
    assert "epoch=1/1" in done[0].stdout
    assert "epoch=1/1" not in done[1].stdout
    assert jobs[0].predictions.exists()
    assert not jobs[1].predictions.exists()
    assert list(jobs[1].model.iterdir()) == []
    if recipe == "accurate":
        # Each half of a batch is normalised for itself, so the two are alike, but not the same.
        return
    # Averaging the gradients of two halves of each batch is the whole batch's gradient.
    together = load_network(jobs[0].model / "model.pt").state_dict()
    expected = load_network(alone.model / "model.pt").state_dict()
    differences = {name: float((value - expected[name]).abs().max()) for name, value in together.items()}
    assert max(differences.values()) < 1e-5, differences


def test_hosts_with_different_data_are_refused(tmp_path: Path) -> None:
    meeting = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port()), "GLOO_SOCKET_IFNAME": "lo"}
    hosts = ("algo-1", "algo-2")
    jobs = [Job.make(tmp_path / host, QUICK, hosts=hosts, host=host, images=200) for host in hosts]
    write_pair(jobs[1].channel("training"), 100, seed=7)

    running = [job.start(**meeting) for job in jobs]
    done = [finish(process) for process in running]

    assert [process.returncode for process in done] == [1, 1]
    assert "FullyReplicated" in (jobs[0].failure or "")


def test_a_job_goes_on_from_its_checkpoint(tmp_path: Path) -> None:
    first = Job.make(tmp_path / "first", {"epochs": "1"}, images=200)
    assert first.run().returncode == 0
    second = Job.make(tmp_path / "second", {"epochs": "1"}, images=200)
    (first.base / "checkpoints").rename(second.base / "checkpoints")

    done = second.run()

    assert done.returncode == 0, done.stderr
    assert "resumed from the checkpoint after epoch 1/1" in done.stdout
    assert "epoch=1/1" not in done.stdout
    assert second.predictions.exists()


def test_a_spoiled_dataset_fails_with_the_sentence(tmp_path: Path) -> None:
    job = Job.make(tmp_path / "ml", images=0)
    (job.channel("training") / "holiday.jpg").write_bytes(b"jpeg")

    done = job.run()

    assert done.returncode == 1
    assert job.failure is not None
    assert job.failure.startswith(
        "ExecuteUserScriptError:\nExitCode 1\n"
        "ErrorMessage \"DatasetNotFoundError: The channel 'training' holds no"
    )
    assert "found holiday.jpg" in job.failure
    assert "Traceback" not in done.stderr


def test_a_wrong_hyperparameter_fails_with_its_name(tmp_path: Path) -> None:
    job = Job.make(tmp_path / "ml", {"epochz": "3"}, images=0)

    assert job.run().returncode == 2
    assert "unrecognized arguments: --epochz 3" in (job.failure or "")


ECHO = """
    import json, os, sys
    print(json.dumps({"argv": sys.argv, "cwd": os.getcwd(), "env": dict(os.environ)}))
"""


def test_script_mode_gives_the_program_what_the_toolkit_gives(tmp_path: Path) -> None:
    job = script_job(
        tmp_path / "ml", ECHO, {"epochs": "3", "lr": '"0.1"', "k": "true", "_tuning_objective_metric": "x"}
    )

    done = job.run(TRAINING_JOB_NAME="job-1")

    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout.splitlines()[-1])
    env = seen["env"]
    assert seen["argv"] == [str(job.base / "code" / "mnist.py"), "--epochs", "3", "-k", "True", "--lr", "0.1"]
    assert seen["cwd"] == str(job.base / "code")
    assert env["SM_MODEL_DIR"] == str(job.base / "model")
    assert env["SM_OUTPUT_DATA_DIR"] == str(job.base / "output" / "data")
    assert env["SM_CHANNEL_TRAINING"] == str(job.channel("training"))
    assert env["SM_CHANNELS"] == '["holdout","training"]'
    assert env["SM_HOSTS"] == '["algo-1"]'
    assert env["SM_CURRENT_HOST"] == "algo-1"
    assert env["SM_HPS"] == '{"epochs":3,"k":true,"lr":"0.1"}'
    assert env["SM_HP_EPOCHS"] == "3"
    assert env["SM_HP_K"] == "true"
    assert env["SM_USER_ARGS"] == '["--epochs","3","-k","True","--lr","0.1"]'
    assert env["SM_MODULE_NAME"] == "mnist"
    assert env["SM_MODULE_DIR"].endswith("sourcedir.tar.gz")
    assert env["SM_USER_ENTRY_POINT"] == "mnist.py"
    assert env["SM_NUM_GPUS"].isdigit()
    assert int(env["SM_NUM_CPUS"]) >= 1
    assert env["SM_LOG_LEVEL"] == "20"
    assert env["MASTER_ADDR"] == "algo-1"
    assert env["MASTER_PORT"] == "7777"
    assert json.loads(env["SM_RESOURCE_CONFIG"])["hosts"] == ["algo-1"]
    assert json.loads(env["SM_TRAINING_ENV"])["job_name"] == "job-1"
    assert json.loads(env["SM_FRAMEWORK_PARAMS"])["sagemaker_program"] == "mnist.py"


TORCHVISION = """
    import torch
    import torchvision
    from torchvision import datasets, transforms
    from torch import distributed

    def model_fn(model_dir):
        return torch.jit.load(model_dir + "/model.pth")

    if __name__ == "__main__":
        distributed.init_process_group("gloo", rank=0, world_size=1)
        print(torchvision.__version__, transforms.Normalize((0.1,), (0.3,)), datasets.MNIST.__name__)
        distributed.destroy_process_group()
"""


def test_an_ordinary_script_imports_torchvision(tmp_path: Path) -> None:
    job = script_job(tmp_path / "ml", TORCHVISION)

    done = job.run(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(free_port()), GLOO_SOCKET_IFNAME="lo")

    assert done.returncode == 0, done.stderr
    assert "Normalize" in done.stdout


def test_a_script_that_raises(tmp_path: Path) -> None:
    job = script_job(
        tmp_path / "ml", "def f():\n    raise ValueError('no digits today\\nnor tomorrow')\nf()\n"
    )

    done = job.run()

    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert job.failure is not None
    assert job.failure.startswith(
        "ExecuteUserScriptError:\nExitCode 1\n"
        'ErrorMessage "ValueError: no digits today\nnor tomorrow"\nCommand "'
    )


def test_a_script_that_exits_with_a_status_and_no_word(tmp_path: Path) -> None:
    job = script_job(tmp_path / "ml", "import sys\nsys.exit(42)\n")

    assert job.run().returncode == 42
    assert 'ExitCode 42\nErrorMessage "the program said nothing on standard error"' in (job.failure or "")


def test_a_script_that_a_signal_ends(tmp_path: Path) -> None:
    job = script_job(tmp_path / "ml", "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n")

    assert job.run().returncode == 137
    assert "ended by SIGKILL" in (job.failure or "")


def test_a_failure_is_cut_to_what_sagemaker_shows(tmp_path: Path) -> None:
    job = script_job(tmp_path / "ml", "raise RuntimeError('\\u00fc' * 5000)\n")

    assert job.run().returncode == 1
    assert job.failure is not None
    assert len(job.failure.encode()) <= 1024
    assert job.failure.startswith("ExecuteUserScriptError:\nExitCode 1")


STOPPABLE = """
    import signal, sys, time
    def save(number, frame):
        print("saving", flush=True)
        sys.exit(3)
    signal.signal(signal.SIGTERM, save)
    print("ready", flush=True)
    while True:
        time.sleep(0.05)
"""


def test_sigterm_reaches_the_program_which_may_save_its_work(tmp_path: Path) -> None:
    job = script_job(tmp_path / "ml", STOPPABLE)
    process = job.start()
    assert process.stdout is not None
    while (line := process.stdout.readline()).strip() != "ready":
        assert line, process.communicate()

    process.send_signal(signal.SIGTERM)
    done = finish(process)

    assert done.returncode == 3
    assert "saving" in done.stdout
    assert job.failure is None  # it was asked to stop: the platform knows why


def test_sigterm_ends_a_program_that_does_not_care(tmp_path: Path) -> None:
    job = script_job(tmp_path / "ml", "import time\nprint('ready', flush=True)\ntime.sleep(600)\n")
    process = job.start()
    assert process.stdout is not None
    while (line := process.stdout.readline()).strip() != "ready":
        assert line, process.communicate()

    process.send_signal(signal.SIGTERM)

    assert finish(process).returncode == 128 + signal.SIGTERM


@pytest.mark.parametrize(
    ("hyperparameters", "message"),
    [
        (
            {"sagemaker_program": "lost.py"},
            "SourceError: The entry point 'lost.py' is not in the source code; found mnist.py",
        ),
        ({"sagemaker_program": "../../x.py"}, "SourceError: The entry point '../../x.py' lies outside"),
        ({"sagemaker_program": "notes.txt"}, "ConfigurationError: The entry point 'notes.txt' is neither"),
        (
            {"sagemaker_submit_directory": "/nowhere/x.tar.gz"},
            "SourceError: There is no source code at /nowhere",
        ),
    ],
)
def test_code_that_cannot_be_found(tmp_path: Path, hyperparameters: dict[str, str], message: str) -> None:
    job = script_job(tmp_path / "ml", ECHO, hyperparameters)

    done = job.run()

    assert done.returncode == 1
    assert message in (job.failure or "")
    assert "Traceback" not in done.stderr


def test_code_that_is_no_archive(tmp_path: Path) -> None:
    job = script_job(tmp_path / "ml", ECHO)
    (tmp_path / "ml-sourcedir.tar.gz").write_bytes(b"no archive")

    assert job.run().returncode == 1
    assert "cannot be unpacked as a tar.gz" in (job.failure or "")


def test_requirements_that_cannot_be_installed(tmp_path: Path) -> None:
    job = script_job(tmp_path / "ml", ECHO, requirements__txt="./no-such-folder\n")

    assert job.run().returncode == 1
    assert "InstallRequirementsError" in (job.failure or "")


def test_requirements_are_installed_beside_the_images_packages(tmp_path: Path) -> None:
    package = tmp_path / "greeting"
    package.mkdir()
    (package / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
        '[project]\nname = "greeting"\nversion = "1.0"\ndependencies = ["numpy"]\n'
        '[tool.setuptools]\npy-modules = ["greeting"]\n'
    )
    (package / "greeting.py").write_text("WORD = 'good morning'\n")
    script = "import greeting, numpy\nprint(greeting.WORD, greeting.__file__)\n"
    job = script_job(tmp_path / "ml", script, requirements__txt=f"{package}\n")

    done = job.run(PIP_NO_BUILD_ISOLATION="0", PIP_NO_INDEX="1")

    assert done.returncode == 0, done.stderr
    assert f"good morning {job.base / 'packages'}" in done.stdout


def test_configuration_that_is_no_json(tmp_path: Path) -> None:
    job = Job.make(tmp_path / "ml", images=0)
    (job.base / "input" / "config" / "resourceconfig.json").write_text("{")

    assert job.run().returncode == 1
    assert (job.failure or "").startswith("ConfigurationError: ")
    assert "resourceconfig.json is no JSON" in (job.failure or "")


def test_a_shell_script_is_run_by_the_shell(tmp_path: Path) -> None:
    job = script_job(tmp_path / "ml", "", run__sh='echo "shell: $*"\n')
    config = job.base / "input" / "config" / "hyperparameters.json"
    hyperparameters = json.loads(config.read_text()) | {"sagemaker_program": "run.sh", "epochs": "3"}
    config.write_text(json.dumps(hyperparameters))

    done = job.run()

    assert done.returncode == 0, done.stderr
    assert "shell: --epochs 3" in done.stdout


def test_output_arrives_while_the_program_runs(tmp_path: Path) -> None:
    job = script_job(
        tmp_path / "ml", "import sys\nprint('one')\nprint('two', file=sys.stderr)\nsys.stdin.read()\n"
    )
    read, write = os.pipe()
    saved = os.dup(0)
    os.dup2(read, 0)
    try:
        process = job.start()
    finally:
        os.dup2(saved, 0)
        os.close(saved)
        os.close(read)
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        while (line := process.stdout.readline()).strip() != "one":
            assert line
        assert process.stderr.readline() == "two\n"
        assert process.poll() is None
    finally:
        os.close(write)
    assert finish(process).returncode == 0
