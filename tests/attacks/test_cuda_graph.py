"""Walks on fixed tensors: on any device the same as step by step; on a GPU as CUDA graphs."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from explorer.attacks import PGD
from explorer.attacks import cuda_graph as replaying
from explorer.attacks.cuda_graph import Replayed
from explorer.attacks.loop import Callbacks, Walk
from explorer.attacks.threat import Threat
from explorer.attacks.trace import Recorder
from explorer.classifiers import load
from explorer.errors import Cancelled
from tests.small_models import any_images, bent_classifier, labels_of

needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


def as_it_is(step, device):
    """No capture: the step itself."""
    return step


KINDS = {
    "linf": PGD(Threat("linf", 0.05), steps=7),
    "l2, a radius each": PGD(Threat("l2", torch.linspace(0.1, 1.0, 6)), steps=7),
    "last, a step size": PGD(Threat("linf", 0.05), steps=5, step_size=0.01, keep="last"),
    "restarts": PGD(Threat("l2", 0.4), steps=4, restarts=3, loss="dlr"),
    "margin": PGD(Threat("linf", 0.03), steps=4, loss="cw"),
    "one step": PGD(Threat("linf", 0.03), steps=1),
}


def walked(attack, go, images, labels, targets, classifier):
    walk = Walk(attack, classifier, classifier, images, labels, targets)
    recorder = Recorder(len(images), attack.keep, frames=False)
    go(walk, attack._starts(images, None), recorder)
    return walk, *recorder.finish()


@pytest.mark.parametrize("targeted", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_a_walk_on_fixed_tensors_is_the_walk(kind, targeted):
    classifier, images, attack = bent_classifier(), any_images(6), KINDS[kind]
    labels = labels_of(classifier, images)
    targets = (labels + 2) % 5 if targeted else None
    walk, adversarial, trace = walked(
        attack,
        lambda walk, start, recorder: walk.go(start, recorder, Callbacks()),
        images,
        labels,
        targets,
        classifier,
    )
    fixed = Replayed(walk, as_it_is)
    for _ in range(2):  # the tensors are used again
        _, again, its_trace = walked(
            attack,
            lambda walk, start, recorder: fixed.go(walk, start, recorder, Callbacks()),
            images,
            labels,
            targets,
            classifier,
        )
        torch.testing.assert_close(
            again, adversarial, atol=1e-6, rtol=0
        )  # sums are taken in another order where memory begins elsewhere
        for name in ("loss", "logits", "gradient_norm", "distance", "success", "kept"):
            torch.testing.assert_close(
                getattr(its_trace, name), getattr(trace, name), atol=1e-5, rtol=1e-5, msg=name
            )


def test_what_was_attacked_before_leaves_nothing_behind():
    classifier, attack = bent_classifier(), KINDS["linf"]
    first, second = any_images(4, seed=1), any_images(4, seed=2)
    labels = [labels_of(classifier, images) for images in (first, second)]
    fixed = Replayed(Walk(attack, classifier, classifier, first, labels[0], None), as_it_is)
    go = lambda walk, start, recorder: fixed.go(walk, start, recorder, Callbacks())  # noqa: E731
    walked(attack, go, first, labels[0], None, classifier)
    other = replace(attack, threat=Threat("linf", 0.01), seed=3, steps=4)
    _, found, _ = walked(other, go, second, labels[1], None, classifier)
    _, expected, _ = walked(
        other,
        lambda walk, start, recorder: walk.go(start, recorder, Callbacks()),
        second,
        labels[1],
        None,
        classifier,
    )
    assert torch.equal(found, expected)


def test_who_watches_is_told_and_who_cancels_is_heard():
    classifier, images, attack = bent_classifier(), any_images(2), KINDS["linf"]
    walk = Walk(attack, classifier, classifier, images, labels_of(classifier, images), None)
    fixed, told = Replayed(walk, as_it_is), []
    recorder = Recorder(2, "best", frames=False)
    fixed.go(walk, images, recorder, Callbacks(on_step=lambda *words: told.append(words)))
    assert told[-1][:2] == (7, 7)
    with pytest.raises(Cancelled):
        fixed.go(walk, images, recorder, Callbacks(cancelled=lambda: True))


def test_on_a_cpu_walks_are_taken_step_by_step():
    classifier, images = bent_classifier(), any_images(2)
    walk = Walk(KINDS["linf"], classifier, classifier, images, labels_of(classifier, images), None)
    assert replaying.replayed(walk, Recorder(2, "best", frames=False), Callbacks()) is None


@needs_cuda
@pytest.mark.parametrize("precision", ["float32", "folded", "bfloat16"])
@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_a_graph_is_the_walk(norm, precision, monkeypatch):
    classifier = load("cifar10-standard", device="cuda")
    images = torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    labels = classifier(images.cuda()).argmax(dim=1).cpu()
    attack = PGD(Threat(norm, 8 / 255 if norm == "linf" else 0.5), steps=10, precision=precision)
    graphs = []
    get = replaying._Shelf.get
    monkeypatch.setattr(
        replaying._Shelf, "get", lambda shelf, walk: graphs.append(get(shelf, walk)) or graphs[-1]
    )
    twice = [attack(classifier, images, labels) for _ in range(2)]
    assert graphs[0] is not None
    assert graphs[0] is graphs[1]
    assert torch.equal(twice[0].adversarial, twice[1].adversarial)
    stepped = attack(
        classifier, images, labels, on_image=lambda *_: None
    )  # somebody who looks at each point is walked step by step
    assert torch.equal(twice[0].success, stepped.success)
    torch.testing.assert_close(twice[0].trace.loss[0], stepped.trace.loss[0], atol=0.05, rtol=0.05)


@needs_cuda
def test_what_can_not_be_captured_is_walked_step_by_step():
    classifier = load("cifar10-standard", device="cuda")
    inner = classifier.module.forward
    classifier.module.forward = lambda images: (
        inner(images) * min(1.0, 2.0 + float(images.sum()))
    )  # asks the device
    images = torch.rand(2, 3, 32, 32)
    result = PGD(Threat("linf", 8 / 255), steps=3, precision="float32")(
        classifier, images, torch.tensor([1, 2])
    )
    assert result.adversarial.shape == images.shape
