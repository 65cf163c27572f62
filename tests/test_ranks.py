"""One job by several processes: evaluated to the bit, trained alike, ended together."""

from __future__ import annotations

import json
import signal
import socket
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from explorer.images.gallery import samples
from explorer.ranks import ALONE, RankError, Ranks, connected_ranks, rank_device
from tests.cli.test_train import write
from tests.faults.forked import Commands, Ended, Fault

SECONDS = 240.0

# A small network and a small batch for cifar10-standard. With DIE, that rank is killed in the
# second epoch.
SMALL_TRAINING = """
import os, signal
from dataclasses import replace
from explorer.classifiers.small_net import NetworkConfig
from explorer.training.recipes import TRAINING_RECIPES
from explorer.training.trainer import Trainer

recipe = TRAINING_RECIPES["cifar10-standard"]
network = NetworkConfig(widths=(8, 8, 8), stem_channels=8)
settings = replace(recipe.hyperparameters, network=network, batch=10, epochs=2, learning_rate=0.05)
TRAINING_RECIPES["cifar10-standard"] = replace(recipe, hyperparameters=settings)
combine = Trainer._combine

def killed(self, *arguments):
    if self.epoch == 1 and os.environ.get("DIE") == os.environ.get("RANK"):
        os.kill(os.getpid(), signal.SIGKILL)
    combine(self, *arguments)

Trainer._combine = killed
"""
SMALL_BATCHES = """
import explorer.experiments.evaluation.robust_accuracy as module
module.BATCH_VALUES = 3 * 3 * 32 * 32  # seven batches
"""


def free_port() -> str:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return str(listener.getsockname()[1])


def run_alone(forks: Commands, command: Sequence[str], setup: str) -> Ended:
    return forks.start(*command, fault=Fault(environment={"DIE": ""}, setup=setup)).wait(SECONDS)


def run_ranks(
    forks: Commands, *commands: Sequence[str], setup: str = "", die: str = ""
) -> list[Ended]:
    """How each rank's command ended; the ranks are one job, as those of torchrun."""
    job = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": free_port(), "DIE": die}
    started = []
    for rank, command in enumerate(commands):
        environment = {**job, "WORLD_SIZE": str(len(commands)), "RANK": str(rank)}
        fault = Fault(environment=environment, setup=setup)
        started.append(forks.start(*command, fault=fault))
    return [command.wait(SECONDS) for command in started]


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Foolbox's twenty CIFAR-10 images in a folder per class."""
    folder = tmp_path_factory.mktemp("pictures")
    for sample in samples("cifar10"):
        place = folder / sample.title.split()[0]
        place.mkdir(exist_ok=True)
        sample.read().save(place / f"{sample.key}.png")
    return folder


def test_two_ranks_evaluate_to_the_bit_like_one(forks, pictures):
    command = ["evaluate", "--model", "cifar10-standard", "--data", str(pictures), "--json"]
    command += ["--epsilon", "0", "0.1", "0.2", "--steps", "3", "--device", "cpu", "--seed", "5"]
    alone = run_alone(forks, command, SMALL_BATCHES)
    assert alone.status == 0, alone.err
    values = json.loads(alone.out)
    assert (values["seed"], values["n"]) == (5, 20)
    assert values["precision"] in ("float32", "folded", "bfloat16")
    assert 0 < values["rows"][2]["accuracy"] < values["rows"][0]["accuracy"]
    first, second = run_ranks(forks, command, command, setup=SMALL_BATCHES)
    assert first.status == second.status == 0, first.err + second.err
    assert (first.out, second.out) == (alone.out, "")


def test_ranks_with_other_images_are_refused(forks, pictures):
    """As where one machine has another version of a file."""
    command = ["evaluate", "--model", "cifar10-standard", "--data", str(pictures)]
    command += ["--epsilon", "0.1", "--steps", "1", "--device", "cpu", "--limit"]
    for ended in run_ranks(forks, [*command, "3"], [*command, "4"]):
        assert (ended.status, ended.out) == (2, "")
        assert "the ranks do not have the same images" in ended.err


@pytest.fixture(scope="module")
def training(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("training")
    write(folder / "data" / "cifar10" / "train-jpeg.parquet", 40, seed=0)
    write(folder / "data" / "cifar10" / "train-lossless-2000.parquet", 12, seed=1)
    return folder


def train(folder: Path, out: str) -> list[str]:
    command = ["train", "cifar10-standard", "--data", str(folder / "data"), "--device", "cpu"]
    return [*command, "--json", "--out", str(folder / out)]


def weights(folder: Path, out: str) -> dict[str, torch.Tensor]:
    return load_file(folder / out / "cifar10-standard.safetensors")


def test_two_ranks_train_like_one_and_continue_where_one_was_killed(forks, training):
    alone = run_alone(forks, train(training, "alone"), SMALL_TRAINING)
    assert alone.status == 0, alone.err
    command = train(training, "both")
    first, second = run_ranks(forks, command, command, setup=SMALL_TRAINING)
    assert first.status == second.status == 0, first.err + second.err
    assert second.out == ""
    ours, theirs = json.loads(first.out), json.loads(alone.out)
    assert [row["n"] for row in ours["rows"]] == [row["n"] for row in theirs["rows"]]
    both, one = weights(training, "both"), weights(training, "alone")
    for name, value in one.items():
        if "running" not in name and value.is_floating_point():
            torch.testing.assert_close(both[name].float(), value.float(), atol=0.05, rtol=0.05)
    command = train(training, "killed")
    left, killed = run_ranks(forks, command, command, setup=SMALL_TRAINING, die="1")
    assert killed.status == -signal.SIGKILL
    assert (left.status, left.out) == (2, "")
    assert "another rank ended or can't be reached" in left.err.strip().splitlines()[-1]
    assert "Traceback" not in left.err
    first, second = run_ranks(forks, command, command, setup=SMALL_TRAINING)
    assert first.status == second.status == 0, first.err + second.err
    assert "continues after epoch 1" in first.err
    resumed = weights(training, "killed")
    assert all(torch.equal(resumed[name], both[name]) for name in both)


def test_the_shares_of_the_ranks_are_all_there_is():
    shares = [Ranks(rank, 3).share(range(10)) for rank in range(3)]
    assert sorted(value for share in shares for value in share) == list(range(10))
    assert ALONE.share([1, 2]) == [1, 2]
    assert ALONE.gather("x") == ["x"]
    values = torch.arange(3.0)
    ALONE.add([values])
    assert torch.equal(values, torch.arange(3.0))


def test_without_torchrun_there_is_one_rank(monkeypatch):
    for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK"):
        monkeypatch.delenv(name, raising=False)
    with connected_ranks() as ranks:
        assert ranks == ALONE
    assert rank_device("auto") == "auto"


@pytest.mark.parametrize("name", ["RANK", "WORLD_SIZE"])
def test_a_rank_that_is_no_number_is_a_sentence(monkeypatch, name):
    monkeypatch.setenv(name, "first")
    with pytest.raises(RankError, match=f"{name} must be a whole number; it is 'first'"):
        Ranks.from_environment()


def test_ranks_that_cannot_meet_are_a_sentence(monkeypatch):
    for name, value in {"RANK": "0", "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("MASTER_PORT", raising=False)
    with pytest.raises(RankError, match="can't be reached"), connected_ranks():
        pass
