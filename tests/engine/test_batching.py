"""A batch that won't fit is looked at in pieces, and nobody can tell from the result."""

import pytest
import torch
from torch import nn

from explorer.attacks import PGD
from explorer.attacks.threat import Threat
from explorer.classifiers import Classifier, load
from explorer.engine import batching
from explorer.engine.batching import bytes_per_sample, logits_of, samples_at_once

SIDE = 32


class Counting(nn.Module):
    """Keeps, for the way back, exactly its input's square: 4 bytes a value, and the input, 4 more."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def forward(self, images):
        self.seen.append(len(images))
        return (images * images).exp().flatten(1).unflatten(1, (3, -1)).sum(dim=2)


def counting():
    return Classifier(Counting(), labels=["a", "b", "c"], input_size=(SIDE, SIDE))


def images_of(n, seed=0, side=SIDE):
    return torch.rand(n, 3, side, side, generator=torch.Generator().manual_seed(seed))


def with_room(monkeypatch, samples, classifier, images):
    """As if so many samples fitted, by what is measured."""
    free = samples * batching.TRANSIENT * bytes_per_sample(classifier, images) / batching.SHARE
    monkeypatch.setattr(batching, "room", lambda device: int(free) + 1)


def test_what_a_sample_takes_is_measured():
    values = 3 * SIDE * SIDE
    assert (
        bytes_per_sample(counting(), images_of(2)) == 2 * 4 * values
    )  # (x − mean) / std, and the exponential
    wider = bytes_per_sample(counting(), images_of(2, side=2 * SIDE))
    assert wider == 4 * 2 * 4 * values


def test_it_is_measured_once():
    classifier = counting()
    bytes_per_sample(classifier, images_of(4))
    seen = list(classifier.module.seen)
    bytes_per_sample(classifier, images_of(9, seed=1))
    assert classifier.module.seen == seen


@pytest.mark.parametrize(
    ("n", "fits", "expected"),
    [(200, 1000, 200), (200, 100, 100), (200, 99, 67), (201, 100, 67), (200, 0.2, 1)],
)
def test_pieces_fit_and_are_of_one_size(monkeypatch, n, fits, expected):
    classifier, images = counting(), images_of(n)
    with_room(monkeypatch, fits, classifier, images)
    assert samples_at_once(classifier, images) == expected
    sizes = [len(piece) for piece in images.split(expected)]
    assert max(sizes) - min(sizes) < len(sizes)


def test_a_cpu_gets_no_more_than_it_takes_quickly(monkeypatch):
    classifier, images = counting(), images_of(200)
    monkeypatch.setattr(batching, "room", lambda device: 2**50)
    monkeypatch.setattr(batching, "QUICKEST_ON_CPU", 50 * bytes_per_sample(classifier, images))
    assert samples_at_once(classifier, images) == 50


def test_a_small_batch_is_not_even_measured():
    classifier = counting()
    assert samples_at_once(classifier, images_of(8)) == 8
    assert classifier.module.seen == []


def test_no_piece_of_an_attack_is_larger_than_fits(monkeypatch):
    classifier, images = counting(), images_of(120)
    with_room(monkeypatch, 50, classifier, images)
    classifier.module.seen.clear()
    PGD(Threat("linf", 0.1), steps=3)(classifier, images, torch.zeros(120, dtype=torch.int64))
    assert classifier.module.seen == [40] * 3 * 5  # 4 points and the verdict


@pytest.mark.parametrize("precision", ["float32", "auto"])
@pytest.mark.parametrize("targeted", [False, True])
def test_a_split_batch_has_the_same_result(monkeypatch, precision, targeted):
    classifier, images = load("tiny12-standard", device="cpu"), images_of(24, side=48)
    labels = logits_of(classifier, images).argmax(dim=1)
    targets = (labels + 1) % 12 if targeted else None
    attack = PGD(Threat("l2", 0.5), steps=3, precision=precision)
    reports = {"whole": [], "split": []}
    whole = attack(
        classifier,
        images,
        labels,
        targets,
        frames=True,
        on_step=lambda *said: reports["whole"].append(said),
    )
    monkeypatch.setattr(batching, "samples_at_once", lambda *_: 8)
    monkeypatch.setattr("explorer.attacks.objective.samples_at_once", lambda *_: 8)
    split = attack(
        classifier,
        images,
        labels,
        targets,
        frames=True,
        on_step=lambda *said: reports["split"].append(said),
    )
    assert torch.equal(whole.success, split.success)
    torch.testing.assert_close(split.adversarial, whole.adversarial, atol=1e-6, rtol=0)
    torch.testing.assert_close(split.logits, whole.logits, atol=1e-4, rtol=1e-4)
    for name in ("loss", "logits", "gradient_norm", "distance", "success", "kept", "frames"):
        torch.testing.assert_close(
            getattr(split.trace, name), getattr(whole.trace, name), atol=1e-4, rtol=1e-4
        )
    assert reports["split"] == [
        (done, steps, pytest.approx(loss, rel=1e-5)) for done, steps, loss in reports["whole"]
    ]
