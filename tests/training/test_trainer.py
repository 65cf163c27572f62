"""Training learns, resumes to the same bits, and refuses checkpoints of another recipe."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from explorer.classifiers.small_net import NetworkConfig
from explorer.datasets.labelled import LabelledImages
from explorer.training.checkpoint import TrainingError
from explorer.training.hyperparameters import Hyperparameters
from explorer.training.recipes import TRAINING_RECIPES
from explorer.training.trainer import Trainer

SETTINGS = Hyperparameters(
    NetworkConfig(classes=2, widths=(8, 8, 8), stem_channels=8),
    epochs=2,
    batch=20,
    learning_rate=0.1,
    crop=1,
)
STATISTICS = ((0.5,) * 3, (0.25,) * 3)


def stripes(n: int = 200) -> LabelledImages:
    """Two classes that are easy to tell apart: stripes along the rows or along the columns."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(n) % 2
    wave = (torch.arange(24) % 4 < 2).float()
    rows = wave[:, None].expand(24, 24)
    patterns = torch.stack([rows, rows.T])[labels][:, None].expand(n, 3, 24, 24)
    noise = torch.rand(n, 3, 24, 24, generator=generator)
    return LabelledImages(
        ((0.6 * patterns + 0.4 * noise) * 255).to(torch.uint8), labels, ("rows", "columns")
    )


def accuracy(trainer: Trainer, data: LabelledImages) -> float:
    trainer.net.eval()
    pixels = (data.images.float() / 255 - 0.5) / 0.25
    with torch.no_grad():
        return float((trainer.net(pixels).argmax(1) == data.labels).float().mean())


def assert_same(a: Trainer, b: Trainer) -> None:
    assert a.weights().keys() == b.weights().keys()
    assert all(torch.equal(a.weights()[name], b.weights()[name]) for name in a.weights())


@pytest.mark.parametrize("epsilon", [0.0, 0.5])
def test_training_learns(epsilon):
    data = stripes()
    settings = replace(SETTINGS, epsilon=epsilon, epochs=4, strong_from=0.5)
    trainer = Trainer(settings, data, *STATISTICS)
    reports = []
    for _ in range(4):
        trainer.run_epoch(reports.append)
    assert accuracy(trainer, data) > 0.95
    assert len(reports) == 40
    assert reports[-1].loss < reports[0].loss


def test_a_resumed_training_gives_the_same_bits(tmp_path):
    data = stripes()
    uninterrupted = Trainer(SETTINGS, data, *STATISTICS)
    uninterrupted.run_epoch()
    uninterrupted.save(tmp_path / "checkpoint.pt")
    uninterrupted.run_epoch()
    resumed = Trainer(SETTINGS, data, *STATISTICS)
    resumed.restore(tmp_path / "checkpoint.pt")
    assert resumed.epoch == 1
    resumed.run_epoch()
    assert_same(uninterrupted, resumed)
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint.pt"]


def test_a_checkpoint_with_settings_that_are_gone_is_resumed(tmp_path):
    """Earlier versions stored settings that no recipe changed, and lacked others."""
    path = tmp_path / "checkpoint.pt"
    trainer = Trainer(SETTINGS, stripes(), *STATISTICS)
    trainer.run_epoch()
    trainer.save(path)
    state = torch.load(path, weights_only=True)
    state["recipe"] |= {"label_smoothing": 0.0, "momentum": 0.85}
    del state["recipe"]["flip"]
    torch.save(state, path)
    resumed = Trainer(SETTINGS, stripes(), *STATISTICS)
    resumed.restore(path)
    assert resumed.epoch == 1
    assert_same(trainer, resumed)


def test_training_leaves_the_global_random_state_alone():
    before = torch.get_rng_state()
    Trainer(SETTINGS, stripes(), *STATISTICS).run_epoch()
    assert torch.equal(before, torch.get_rng_state())


def test_a_foreign_or_broken_checkpoint_is_refused(tmp_path):
    path = tmp_path / "checkpoint.pt"
    trainer = Trainer(SETTINGS, stripes(), *STATISTICS)
    trainer.save(path)
    with pytest.raises(TrainingError, match="another recipe"):
        Trainer(replace(SETTINGS, seed=1), stripes(), *STATISTICS).restore(path)
    for content in (path.read_bytes()[:1000], b"", b"some text", bytes(100)):
        path.write_bytes(content)
        with pytest.raises(TrainingError, match=r"can't be read \(.*\); remove it") as refusal:
            trainer.restore(path)
        assert "\n" not in str(refusal.value)
    for value in ({"weights": torch.ones(1)}, torch.ones(1)):
        torch.save(value, path)
        with pytest.raises(TrainingError, match="is no checkpoint of a training"):
            trainer.restore(path)


def test_a_checkpoint_of_other_data_is_refused(tmp_path):
    path = tmp_path / "checkpoint.pt"
    trainer = Trainer(SETTINGS, stripes(), *STATISTICS)
    trainer.save(path)
    other = Trainer(SETTINGS, stripes(180), *STATISTICS)
    with pytest.raises(TrainingError, match="another training set; choose another folder"):
        other.restore(path)
    state = torch.load(path, weights_only=True)
    del state["data"]  # as in files of earlier versions
    torch.save(state, path)
    other.restore(path)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"epoch": 3}, "its epoch is 3 of 2"),
        ({"epoch": "1"}, "its epoch is '1' of 2"),
        ({"net": None}, "does not fit"),
        ({"net": {"stem.weight": torch.ones(1)}}, "does not fit"),
        ({"optimizer": {}}, "does not fit"),
        ({"recipe": []}, "is no checkpoint"),
    ],
)
def test_an_edited_checkpoint_is_refused(tmp_path, changes, words):
    path = tmp_path / "checkpoint.pt"
    trainer = Trainer(SETTINGS, stripes(), *STATISTICS)
    trainer.save(path)
    torch.save(torch.load(path, weights_only=True) | changes, path)
    with pytest.raises(TrainingError, match=words):
        trainer.restore(path)


def test_less_data_than_a_batch_is_refused():
    with pytest.raises(TrainingError, match="do not fill one batch"):
        Trainer(SETTINGS, stripes(10), *STATISTICS).run_epoch()


def test_a_loss_that_explodes_is_refused():
    trainer = Trainer(replace(SETTINGS, learning_rate=1e12), stripes(), *STATISTICS)
    with pytest.raises(TrainingError, match="lower the learning rate"):
        trainer.run_epoch()


def test_robust_recipes_start_from_standard_ones_of_the_same_shape():
    for recipe in TRAINING_RECIPES.values():
        if recipe.start_from is not None:
            start = TRAINING_RECIPES[recipe.start_from]
            assert start.hyperparameters.network == recipe.hyperparameters.network
            assert recipe.robust
            assert not start.robust
