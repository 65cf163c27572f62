"""``dispute-training``: what it prints, writes and refuses."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from explorer.classifiers.small_net import NetworkConfig
from explorer.training.recipes import TRAINING_RECIPES
from tests.cli.running import run
from tests.cli.test_train import write


def test_it_trains_on_each_attack_and_writes_its_figures(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "cifar10" / "train-jpeg.parquet", 30, seed=0)
    write(tmp_path / "cifar10" / "train-lossless-2000.parquet", 4, seed=1)
    recipe = TRAINING_RECIPES["cifar10-d_det"]
    network = NetworkConfig(widths=(8, 8, 8), stem_channels=8)
    settings = replace(recipe.hyperparameters, network=network, batch=2, epochs=1)
    monkeypatch.setitem(
        TRAINING_RECIPES, "cifar10-d_det", replace(recipe, hyperparameters=settings)
    )
    options = ["--data", str(tmp_path), "--limit", "8", "--epsilon", "3", "--steps", "8"]
    out = tmp_path / "out"
    status, printed, err = run(
        capsys, "dispute-training", *options, "--ensemble", "cifar10-d", "--out", str(out), "--json"
    )
    assert status == 0, err
    values = json.loads(printed)
    assert [(row["attack"], row["label"]) for row in values["rows"]] == [
        (attack, label)
        for attack in ("none", "ordinary", "not to transfer")
        for label in ("own", "next")
    ]
    assert all(row["n"] == 4 and row["low"] <= row["rate"] <= row["high"] for row in values["rows"])
    assert json.loads((out / "recipe.json").read_text())["rows"] == values["rows"]
    assert "--limit 8" in values["command"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--epsilon", "-1"], "at least 0"),
        (["--epochs", "0"], "--epochs"),
        (["--data", "nowhere"], "nowhere"),
    ],
)
def test_mistakes_are_one_line(
    capsys: pytest.CaptureFixture[str], options: list[str], words: str
) -> None:
    status, out, err = run(capsys, "dispute-training", *options, "--json")
    assert (status, out) == (2, "")
    assert words in err.strip().splitlines()[-1]
    assert "Traceback" not in err
