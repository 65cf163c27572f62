"""Training learns, resumes to the same bits, and refuses what does not belong to it."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from explorer.classifiers.small_net import NetworkConfig
from explorer.datasets.labelled import LabelledImages
from explorer.training.recipes import TRAINING_RECIPES
from explorer.training.trainer import Hyperparameters, Trainer

RECIPE = Hyperparameters(
    NetworkConfig(classes=2, widths=(8, 8, 8), stem_channels=8),
    epochs=2,
    batch=20,
    learning_rate=0.1,
    crop=1,
)
STATISTICS = ((0.5,) * 3, (0.25,) * 3)


def stripes(n: int = 200) -> LabelledImages:
    """Two classes a child tells apart: stripes along the rows, stripes along the columns."""
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


@pytest.mark.parametrize("epsilon", [0.0, 0.5])
def test_training_learns(epsilon):
    data = stripes()
    trainer = Trainer(
        replace(RECIPE, epsilon=epsilon, epochs=4, strong_from=0.5), data, *STATISTICS
    )
    reports = []
    for _ in range(4):
        trainer.run_epoch(reports.append)
    assert accuracy(trainer, data) > 0.95
    assert len(reports) == 40
    assert reports[-1].loss < reports[0].loss


def test_a_stopped_training_goes_on_to_the_same_bits(tmp_path):
    data = stripes()
    whole = Trainer(RECIPE, data, *STATISTICS)
    whole.run_epoch()
    whole.save(tmp_path / "checkpoint.pt")
    whole.run_epoch()
    later = Trainer(RECIPE, data, *STATISTICS)
    later.restore(tmp_path / "checkpoint.pt")
    assert later.epoch == 1
    later.run_epoch()
    assert all(
        torch.equal(a, b)
        for a, b in zip(whole.weights().values(), later.weights().values(), strict=True)
    )


def test_training_leaves_the_global_random_state_alone():
    before = torch.get_rng_state()
    Trainer(RECIPE, stripes(), *STATISTICS).run_epoch()
    assert torch.equal(before, torch.get_rng_state())


def test_a_foreign_or_broken_checkpoint_is_refused(tmp_path):
    path = tmp_path / "checkpoint.pt"
    trainer = Trainer(RECIPE, stripes(), *STATISTICS)
    trainer.save(path)
    with pytest.raises(ValueError, match="another recipe"):
        Trainer(replace(RECIPE, seed=1), stripes(), *STATISTICS).restore(path)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ValueError, match="can't be read"):
        trainer.restore(path)


def test_less_data_than_a_batch_is_said():
    with pytest.raises(ValueError, match="do not fill one batch"):
        Trainer(RECIPE, stripes(10), *STATISTICS).run_epoch()


def test_a_loss_that_explodes_is_said():
    trainer = Trainer(replace(RECIPE, learning_rate=1e12), stripes(), *STATISTICS)
    with pytest.raises(FloatingPointError, match="lower the learning rate"):
        trainer.run_epoch()


def test_robust_bundles_begin_at_the_standard_ones_of_the_same_shape():
    for bundle in TRAINING_RECIPES.values():
        if bundle.start_from is not None:
            assert TRAINING_RECIPES[bundle.start_from].recipe.network == bundle.recipe.network
            assert bundle.recipe.epsilon > 0
