"""``models --add``: a checkpoint with its labels, and what is refused."""

from __future__ import annotations

import json

import pytest
import torch
from safetensors.torch import save_file
from torchvision.models import mobilenet_v3_small

from explorer.classifiers import load
from tests.cli.running import run

SIZE = ["--input-size", "64", "--resize", "64"]


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """A cache folder without classifiers."""
    monkeypatch.setenv("EXPLORER_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def weights(tmp_path):
    torch.manual_seed(0)
    path = tmp_path / "net.safetensors"
    save_file(mobilenet_v3_small(weights=None, num_classes=3).state_dict(), path)
    return str(path)


def test_a_checkpoint_is_added_with_its_labels(capsys, tmp_path, weights):
    labels = tmp_path / "labels.txt"
    labels.write_text("ant\nbee\ncat\n")
    asked = ["--architecture", "mobilenet_v3_small", "--labels", str(labels), *SIZE]
    numbers = ["--mean", "0.5", "0.5", "0.5", "--std", "0.25", "0.25", "0.25", "--trained-robust"]
    status, out, err = run(capsys, "models", "--add", weights, *asked, *numbers, "--json")
    assert status == 0, err
    values = json.loads(out)
    assert (values["name"], values["classes"]) == ("user:net", ["ant", "bee", "cat"])
    classifier = load("user:net", device="cpu")
    assert classifier.labels == ("ant", "bee", "cat")
    assert (classifier.input_size, classifier.resize) == ((64, 64), 64)
    status, out, _ = run(capsys, "models")
    line = next(line for line in out.splitlines() if line.startswith("user:net "))
    assert "mobilenet_v3_small, robust" in line


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--add", "FILE"], "--add needs --architecture"),
        (["--add", "FILE", "--architecture", "resnet81"], "resnet18"),
        (["--add", "nowhere", "--architecture", "resnet18"], "nowhere"),
        (["--add", "FILE", "--architecture", "resnet18"], "do not fit resnet18"),
        (["--add", "FILE", "--architecture", "resnet18", "--mean", "1", "2"], "three numbers"),
        (["--add", "FILE", "--architecture", "resnet18", "--labels", "none"], "none"),
        (["--add", "FILE", "--architecture", "resnet18", "--input-size", "5"], "from 16"),
        (["--add", "FILE", "--check"], "leave out --check"),
        (["--labels", "a.txt"], "leave out --labels"),
    ],
)
def test_mistakes_are_one_line_and_add_nothing(capsys, cache, weights, options, words):
    options = [weights if each == "FILE" else each for each in options]
    status, out, err = run(capsys, "models", *options, "--json")
    assert (status, out) == (2, "")
    assert words in err.strip().splitlines()[-1]
    assert not list(cache.glob("classifiers/*"))
