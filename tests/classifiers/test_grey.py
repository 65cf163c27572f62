"""Classifiers of grey images [N, 1, H, W], as for MNIST."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image
from torch import nn

from explorer.attacks import PGD, Threat
from explorer.classifiers import Classifier, ClassifierError
from explorer.datasets.constructed.build import build
from explorer.datasets.constructed.constructions import CONSTRUCTIONS
from explorer.datasets.constructed.plan import load_or_write_plan, make_plan
from explorer.datasets.labelled import LabelledImages
from explorer.datasets.sources import read_source
from explorer.engine import gradient_model
from explorer.experiments.evaluation.robust_accuracy import robust_accuracy
from explorer.experiments.one_image.attack_image import attack_image
from explorer.experiments.one_image.full_resolution import apply_at_full_resolution
from explorer.experiments.one_image.recipe import Recipe
from explorer.figures.export import adversarial_npy, adversarial_png, figure_bytes
from explorer.figures.print_triptych import triptych
from explorer.images.geometry import preprocess, to_grey, to_uint8

SIDE = 28


class DigitNet(nn.Module):
    """Three plain layers, so that optimized copies can be made."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, 8, 5, stride=2),
            nn.BatchNorm2d(8),
            nn.ReLU(),
            nn.Conv2d(8, 16, 5, stride=2),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(16 * 4 * 4, 10),
        )

    def forward(self, images):
        return self.body(images)


def digits(**options):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = DigitNet().eval()
    options = {"mean": (0.1307,), "std": (0.3081,)} | options
    return Classifier(
        module, labels=[str(digit) for digit in range(10)], input_size=(SIDE, SIDE), **options
    )


def colourful(size=(40, 36), seed=0):
    rng = np.random.default_rng(seed)
    return Image.fromarray(rng.integers(0, 256, (*size, 3), np.uint8))


@pytest.mark.parametrize(
    "options", [{}, {"mean": None, "std": None, "channels": 1}, {"mean": None, "std": (0.5,)}]
)
def test_one_value_or_channels_1_make_a_classifier_grey(options):
    classifier = digits(**options)
    assert (classifier.channels, len(classifier.mean), len(classifier.std)) == (1, 1, 1)
    assert classifier(torch.rand(2, 1, SIDE, SIDE)).shape == (2, 10)
    assert classifier.with_module(classifier.module).channels == 1


def test_images_with_the_wrong_number_of_colours_are_refused():
    with pytest.raises(ClassifierError, match=r"takes grey images \[N, 1, H, W\]; these have thr"):
        digits()(torch.rand(2, 3, SIDE, SIDE))
    colour = Classifier(nn.Conv2d(3, 2, 1), labels=["a", "b"], input_size=(4, 4))
    with pytest.raises(ClassifierError, match="in colour; these are grey: use images"):
        colour(torch.rand(2, 1, 4, 4))


def test_pictures_are_converted_as_pillow_does():
    picture = colourful((SIDE, SIDE))
    pixels = preprocess(picture, digits())
    expected = np.asarray(picture.convert("L"))
    assert pixels.shape == (1, SIDE, SIDE)
    assert np.array_equal(to_uint8(pixels), np.stack([expected] * 3, axis=2))
    images = torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None]
    assert np.array_equal(to_grey(images)[0, 0].numpy(), expected)


@pytest.mark.parametrize("precision", ["float32", "folded", "bfloat16"])
def test_every_form_has_the_gradient_of_the_classifier(precision):
    classifier, images = digits(), torch.rand(3, 1, SIDE, SIDE)
    surrogate, used = gradient_model(classifier, precision)
    assert used == precision
    logits, vjp = surrogate.logits_vjp(images)
    gradient = vjp(torch.ones_like(logits))
    leaf = images.clone().requires_grad_(True)
    classifier(leaf).sum().backward()
    cosine = nn.functional.cosine_similarity(gradient.flatten(1), leaf.grad.flatten(1))
    assert gradient.shape == images.shape
    assert float(cosine.min()) > (0.95 if precision == "bfloat16" else 0.9999)
    features, vjp = surrogate.features_vjp(images)
    assert vjp(torch.ones_like(features)).shape == images.shape


@pytest.fixture(scope="module")
def report():
    classifier = digits()
    recipe = Recipe("picture.png", "digits", norm="linf", epsilon=0.2, steps=10)
    image = preprocess(colourful(), classifier)
    return attack_image(classifier, image, recipe, frames=True)


def test_an_attack_its_trace_and_its_files(report):
    assert report.success
    assert report.linf <= 0.2 + 1e-6
    assert report.trace.frames is not None
    assert report.trace.frames.shape[-3:] == (1, SIDE, SIDE)
    array = np.load(io.BytesIO(adversarial_npy(report)))
    assert array.shape == (1, SIDE, SIDE)
    picture = Image.open(io.BytesIO(adversarial_png(report)))
    assert picture.mode == "L"
    assert np.array_equal(np.asarray(picture), np.rint(array[0] * 255))
    assert figure_bytes(triptych(report, "digits"), "png")[:4] == b"\x89PNG"


def test_at_full_resolution_the_brightness_changes(report):
    classifier, photo = digits(), colourful()
    applied = apply_at_full_resolution(photo, classifier, report)
    crop = preprocess(applied.full_resolution.photo, classifier)
    clipped = (crop - report.adversarial).abs()
    assert float(clipped.mean()) < 0.02  # values at black and white can't change further
    assert float(clipped.median()) < 1.5 / 255
    assert applied.success


def test_evaluate_on_a_folder_and_on_pictures_of_the_right_size(tmp_path):
    for size in ((SIDE, SIDE), (40, 40)):
        for label in ("0", "1"):
            folder = tmp_path / str(size[0]) / label
            folder.mkdir(parents=True)
            for index in range(2):
                colourful(size, index).save(folder / f"{index}.png")
        data = read_source(str(tmp_path / str(size[0])), digits())
        assert data.images.shape == (4, 1, SIDE, SIDE)
        (row,) = robust_accuracy(digits(), data.images, data.labels, "linf", [0.1], steps=2)
        assert 0 <= row.accuracy <= 1


def test_a_set_is_built_in_grey_and_read_again(tmp_path):
    classifier, noise = digits(), torch.Generator().manual_seed(0)
    images = torch.randint(256, (4, 1, SIDE, SIDE), dtype=torch.uint8, generator=noise)
    data = LabelledImages(images, torch.arange(4), classifier.labels)
    construction = replace(CONSTRUCTIONS["d_det"], steps=2)
    plan = make_plan(construction, classifier, data, source="noise", seed=0)
    load_or_write_plan(plan, tmp_path, automatic=False)
    build(plan, classifier, data, tmp_path)
    cells = pq.read_table(next(tmp_path.glob("*.parquet")))["img"].to_pylist()
    assert {Image.open(io.BytesIO(cell["bytes"])).mode for cell in cells} == {"L"}
    again = read_source(str(tmp_path), classifier)
    assert again.labels.tolist() == [1, 2, 3, 4]
    change = (again.images.float() - images.float()).flatten(1).norm(dim=1) / 255
    assert float(change.max()) <= 0.5 + 0.5 / 255 * SIDE  # ε, and what rounding adds at most


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_a_grey_attack_stays_in_its_ball(norm):
    classifier, images = digits(), torch.rand(4, 1, SIDE, SIDE)
    labels = classifier(images).argmax(dim=1)
    epsilon = 0.1 if norm == "linf" else 2.0
    result = PGD(Threat(norm, epsilon), steps=10, restarts=2)(classifier, images, labels)
    distance = (result.adversarial - images).flatten(1)
    order = float("inf") if norm == "linf" else 2
    assert float(distance.norm(order, dim=1).max()) <= epsilon * (1 + 1e-5)
    assert result.success.any()
