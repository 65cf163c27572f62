"""``train``: a checkpoint, weights and a card; continued, or refused in one line."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from safetensors.torch import load_file

from explorer.classifiers.model_card import ModelCard
from explorer.classifiers.small_net import NetworkConfig
from explorer.training.recipes import TRAINING_RECIPES
from tests.cli.running import run

NAMES = [f"class {index}" for index in range(10)]


def write(path, n, seed):
    """A Parquet file of ``n`` random images of ten classes."""
    cells = []
    for array in np.random.default_rng(seed).integers(0, 256, (n, 32, 32, 3), dtype=np.uint8):
        buffer = io.BytesIO()
        Image.fromarray(array).save(buffer, "PNG")
        cells.append({"bytes": buffer.getvalue(), "path": None})
    info = {"info": {"features": {"label": {"names": NAMES, "_type": "ClassLabel"}}}}
    table = pa.table({"img": cells, "label": [index % 10 for index in range(n)]})
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table.replace_schema_metadata({"huggingface": json.dumps(info)}), path)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Thirty training images, a few of them like the test images, which are four."""
    folder = tmp_path_factory.mktemp("data")
    write(folder / "cifar10" / "train-jpeg.parquet", 30, seed=0)
    write(folder / "cifar10" / "train-lossless-2000.parquet", 4, seed=1)
    return folder


@pytest.fixture
def small_recipe(monkeypatch):
    """A small network and a small batch for ``cifar10-standard``."""
    recipe = TRAINING_RECIPES["cifar10-standard"]
    network = NetworkConfig(widths=(8, 8, 8), stem_channels=8)
    settings = replace(recipe.hyperparameters, network=network, batch=20)
    changed = replace(recipe, hyperparameters=settings)
    monkeypatch.setitem(TRAINING_RECIPES, "cifar10-standard", changed)


def train(capsys, data, out, *more: str):
    options = ["--data", str(data), "--out", str(out), "--device", "cpu", "--stop-after", "1"]
    return run(capsys, "train", "cifar10-standard", *options, *more)


@pytest.mark.usefixtures("small_recipe")
def test_a_training_is_continued_and_published(capsys, data, tmp_path):
    status, out, err = train(capsys, data, tmp_path, "--json")
    assert status == 0, err
    assert "epoch 1 of 11" in err
    values = json.loads(out)
    assert values["model"] == "cifar10-standard"
    assert [(row["attack"], row["epsilon"], row["n"]) for row in values["rows"]] == [
        ("PGD", epsilon, 4) for epsilon in (0.0, 0.25, 0.5, 1.0)
    ]
    assert {path.name for path in tmp_path.iterdir()} == {
        "checkpoint.pt",
        "cifar10-standard.safetensors",
        "cifar10-standard.json",
    }
    card = ModelCard.read(tmp_path / "cifar10-standard.json")
    assert card.command == "python -m explorer train cifar10-standard --stop-after 1"
    assert (card.epochs, card.labels) == (1, tuple(NAMES))
    assert 20 <= card.recipe["images"] <= 30  # without those that are like the test images
    assert [row.accuracy for row in card.accuracy] == [row["accuracy"] for row in values["rows"]]
    weights = load_file(tmp_path / "cifar10-standard.safetensors")
    assert sum(value.numel() for value in weights.values()) == card.parameters
    file = (tmp_path / "cifar10-standard.safetensors").read_bytes()
    status, out, err = train(capsys, data, tmp_path)
    assert status == 0
    assert "continues after epoch 1" in err
    assert "PGD L2 ε = 0.25" in out
    assert (tmp_path / "cifar10-standard.safetensors").read_bytes() == file


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["cifar10-standard", "--epochs", "0"], "--epochs: it must be a whole number from 1"),
        (
            ["cifar10-standard", "--stop-after", "0"],
            "--stop-after: it must be a whole",
        ),
        (["cifar10-standard", "--threads", "0"], "--threads: it must be a whole number from 1"),
        (["cifar10-standard", "--threads", "1025"], "a whole number from 1 to 1,024"),
        (
            ["cifar10-standard", "--seed", "1" + 20 * "0"],
            "--seed: it must be a whole number",
        ),
        (["cifar10-standard", "--test", "cifar10"], "leave --test out"),
        (["cifar10-standard", "--data", "nowhere"], "there is no file"),
        (["cifar10-standard", "--device", "abacus"], "unknown device"),
        (["cifar10-d_r"], "name it with --data"),
        (["cifar10-d_r", "--data", "nowhere"], "there is no file or folder"),
        (["cifar10-zebra"], "invalid choice"),
    ],
)
def test_a_mistake_is_one_line(capsys, tmp_path, arguments, words):
    status, out, err = run(capsys, "train", *arguments, "--out", str(tmp_path))
    assert (status, out) == (2, "")
    assert words in err
    assert len(err.strip().splitlines()) == 1


@pytest.mark.parametrize("content", [b"", b"no checkpoint"])
@pytest.mark.usefixtures("small_recipe")
def test_a_damaged_checkpoint_is_one_line(capsys, data, tmp_path, content):
    (tmp_path / "checkpoint.pt").write_bytes(content)
    status, out, err = train(capsys, data, tmp_path)
    assert (status, out) == (2, "")
    assert "remove it to begin again" in err
    assert len(err.strip().splitlines()) == 1
