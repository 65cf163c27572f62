"""A batch that does not fit is evaluated in chunks, which does not show in the result."""

from typing import NamedTuple

import pytest
import torch
from torch import Tensor, nn

from explorer.attacks import PGD, Threat
from explorer.classifiers import Classifier, load
from explorer.engine import batching, bytes_per_sample, chunk_size, logits_of, map_chunks
from explorer.engine.batching import _bitwise_equal
from explorer.engine.gradient_model import AutogradModel

SIDE = 32


class Counting(nn.Module):
    """Keeps exactly its input's square for the backward pass, 4 bytes a value, and the input."""

    def __init__(self):
        super().__init__()
        self.batches = []

    def forward(self, images):
        self.batches.append(len(images))
        return (images * images).exp().flatten(1).unflatten(1, (3, -1)).sum(dim=2)


def counting():
    return AutogradModel(Classifier(Counting(), labels=["a", "b", "c"], input_size=(SIDE, SIDE)))


def images_of(n, seed=0, side=SIDE):
    return torch.rand(n, 3, side, side, generator=torch.Generator().manual_seed(seed))


def with_memory_for(monkeypatch, samples, model, images):
    """As if so many samples fitted, by what is measured."""
    each = bytes_per_sample(model, images)
    free = samples * batching.PEAK_FACTOR * each / batching.MEMORY_SHARE
    monkeypatch.setattr(batching, "free_memory", lambda device: int(free) + 1)


def test_the_bytes_of_a_sample_are_measured():
    values = 3 * SIDE * SIDE
    # (x − mean) / std, and the exponential.
    assert bytes_per_sample(counting(), images_of(2)) == 2 * 4 * values
    assert bytes_per_sample(counting(), images_of(2, side=2 * SIDE)) == 4 * 2 * 4 * values


def test_they_are_measured_once_per_network():
    model = counting()
    bytes_per_sample(model, images_of(4))
    batches = list(model.network.module.batches)
    bytes_per_sample(AutogradModel(model.network), images_of(9, seed=1))
    assert model.network.module.batches == batches


@pytest.mark.parametrize(
    ("n", "fitting", "expected"),
    [(200, 1000, 200), (200, 100, 100), (200, 99, 67), (201, 100, 67), (200, 0.2, 1)],
)
def test_chunks_fit_and_are_of_one_size(monkeypatch, n, fitting, expected):
    model, images = counting(), images_of(n)
    with_memory_for(monkeypatch, fitting, model, images)
    assert chunk_size(model, images) == expected
    sizes = [len(chunk) for chunk in images.split(expected)]
    assert max(sizes) - min(sizes) < len(sizes)


def test_a_cpu_gets_chunks_that_it_processes_quickly(monkeypatch):
    model, images = counting(), images_of(200)
    monkeypatch.setattr(batching, "free_memory", lambda device: 2**50)
    monkeypatch.setattr(batching, "QUICKEST_ON_CPU", 50 * bytes_per_sample(model, images))
    assert chunk_size(model, images) == 50


def test_a_small_batch_is_not_measured():
    model = counting()
    assert chunk_size(model, images_of(8)) == 8
    assert model.network.module.batches == []


def test_no_chunk_of_an_attack_is_larger_than_fits(monkeypatch):
    model, images = counting(), images_of(120)
    with_memory_for(monkeypatch, 50, model, images)
    classifier = model.network
    classifier.module.batches.clear()
    PGD(Threat("linf", 0.1), steps=3)(classifier, images, torch.zeros(120, dtype=torch.int64))
    assert classifier.module.batches == [40] * 3 * 5  # 4 points and the final decision


@pytest.mark.parametrize("precision", ["float32", "auto"])
@pytest.mark.parametrize("targeted", [False, True])
def test_a_batch_in_chunks_has_the_same_result(monkeypatch, precision, targeted):
    classifier, images = load("tiny12-standard", device="cpu"), images_of(24, side=48)
    labels = logits_of(classifier, images).argmax(dim=1)
    targets = (labels + 1) % 12 if targeted else None
    attack = PGD(Threat("l2", 0.5), steps=3, precision=precision)
    reports = {"whole": [], "chunks": []}

    def run(name):
        report = reports[name].append
        return attack(
            classifier, images, labels, targets, frames=True, on_step=lambda *args: report(args)
        )

    whole = run("whole")
    monkeypatch.setattr(batching, "chunk_size", lambda *_: 8)
    chunks = run("chunks")
    assert torch.equal(whole.success, chunks.success)
    torch.testing.assert_close(chunks.adversarial, whole.adversarial, atol=1e-6, rtol=0)
    torch.testing.assert_close(chunks.logits, whole.logits, atol=1e-4, rtol=1e-4)
    for name in ("loss", "logits", "gradient_norm", "distance", "success", "kept", "frames"):
        ours, theirs = getattr(chunks.trace, name), getattr(whole.trace, name)
        torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)
    assert reports["chunks"] == [
        (done, steps, pytest.approx(loss, rel=1e-5)) for done, steps, loss in reports["whole"]
    ]


class Pair(NamedTuple):
    values: Tensor
    gradient: Tensor | None


def test_chunks_are_joined_field_by_field(monkeypatch):
    monkeypatch.setattr(batching, "chunk_size", lambda *_: 2)
    images = images_of(5)
    with_none = map_chunks(counting(), images, lambda rows: Pair(images[rows], None), "kind")
    assert torch.equal(with_none.values, images)
    assert with_none.gradient is None


def test_results_that_differ_in_one_bit_are_not_equal():
    one = Pair(torch.ones(1), torch.zeros(1, 3, 4, 4))
    other = torch.zeros(1, 3, 4, 4)
    other[0, 2, 3, 3] = 1e-38
    assert _bitwise_equal(one, one)
    assert not _bitwise_equal(one, Pair(one.values, other))
    assert not _bitwise_equal(one, Pair(one.values, None))
    assert not _bitwise_equal(one, Pair(one.values + 1, one.gradient))
