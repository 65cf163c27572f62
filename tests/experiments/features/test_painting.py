"""Masks, and pictures that are painted within them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from explorer.classifiers import load
from explorer.experiments.features.asked import FeatureError
from explorer.experiments.features.mask import (
    SIDE,
    Box,
    box_cells,
    cells_from,
    cells_mask,
    cells_text,
    picture_mask,
)
from explorer.experiments.features.painting import PaintingSettings, paint
from explorer.images.gallery import samples
from tests.small_models import linear_classifier


def test_a_box_marks_the_squares_whose_middle_it_contains():
    cells = box_cells(Box(0.25, 0.5, 0.75, 1.0))
    assert cells[16:, 8:24].all()
    assert cells.sum() == 16 * 16
    tiny = box_cells(Box(0.5, 0.5, 0.501, 0.501))
    assert tiny.sum() == 1
    for edges in ((0.5, 0, 0.5, 1), (0, 0.6, 1, 0.5), (-0.1, 0, 1, 1), (0, 0, 1, float("nan"))):
        with pytest.raises(FeatureError, match="from 0 to 1"):
            Box(*edges)


def test_squares_survive_their_text_and_nothing_else_is_taken():
    cells = np.random.default_rng(0).random((SIDE, SIDE)) < 0.5
    assert np.array_equal(cells_from(cells_text(cells)), cells)
    for text in ("", "zz" * 128, "0" * 255, "0" * 258):
        with pytest.raises(FeatureError, match="256 hexadecimal digits"):
            cells_from(text)


def test_a_mask_has_the_size_of_the_input():
    cells = np.zeros((SIDE, SIDE), dtype=bool)
    cells[0, 31] = cells[31, 0] = True
    small, large = cells_mask(cells, (32, 32)), cells_mask(cells, (224, 224))
    assert torch.equal(small.bool(), torch.from_numpy(cells))
    assert large[:7, 217:].all()
    assert large[217:, :7].all()
    assert large.sum() == 2 * 49


def test_a_picture_can_be_the_mask():
    model, photo = load("cifar10-standard"), Image.new("RGB", (64, 64))
    white = np.zeros((128, 128), dtype=np.uint8)
    white[:64] = 255
    mask = picture_mask(Image.fromarray(white), photo, model)
    assert mask[:15].all()
    assert not mask[17:].any()
    with pytest.raises(FeatureError, match="the same shape"):
        picture_mask(Image.new("L", (100, 50)), photo, model)


def test_each_classifier_paints_its_class_and_leaves_the_rest():
    models = {name: load(name) for name in ("cifar10-standard", "cifar10-robust")}
    cells = box_cells(Box(0.25, 0.2, 0.9, 0.9))
    masks = {name: cells_mask(cells, (32, 32)) for name in models}
    picture = samples("cifar10")[0].read()
    steps: list[int] = []
    answers = paint(
        models,
        picture,
        masks,
        PaintingSettings(target=6),
        on_step=lambda done, total: steps.append(done),
    )
    assert steps == list(range(1, 61))
    for answer in answers:
        assert answer.after.name == "frog"
        outside = (answer.mask == 0).expand(3, -1, -1)
        assert torch.equal(answer.image[outside], answer.original[outside])
        assert answer.share == pytest.approx(cells.mean())
        assert 0 < answer.length <= 5 + 0.5 / 255 * 3072**0.5


@pytest.mark.parametrize("mask", [torch.zeros(6, 6), torch.ones(4, 4)])
def test_an_empty_mask_and_one_of_another_size_are_named(mask):
    models = {"one": linear_classifier()}
    with pytest.raises(FeatureError, match="brush over a part"):
        paint(models, Image.new("RGB", (6, 6)), {"one": mask}, PaintingSettings(target=1))
