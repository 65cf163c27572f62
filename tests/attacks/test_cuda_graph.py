"""Attacks on fixed tensors: on any device the same as the loop; on a GPU as CUDA graphs."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from explorer.attacks import PGD, Threat, cuda_graph
from explorer.attacks.cuda_graph import GraphAttack
from explorer.attacks.loop import AttackBatch, AttackModels, Callbacks, run
from explorer.attacks.recorder import TraceRecorder
from explorer.classifiers import load
from explorer.engine.gradient_model import AutogradModel
from explorer.errors import Cancelled
from tests.small_models import any_images, labels_of, smooth_classifier

needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")

ATTACKS = {
    "linf": PGD(Threat("linf", 0.05), steps=7),
    "l2, a radius each": PGD(Threat("l2", torch.linspace(0.1, 1.0, 6)), steps=7),
    "last, a step size": PGD(Threat("linf", 0.05), steps=5, step_size=0.01, keep="last"),
    "restarts": PGD(Threat("l2", 0.4), steps=4, restarts=3, loss="dlr"),
    "margin": PGD(Threat("linf", 0.03), steps=4, loss="cw"),
    "one step": PGD(Threat("linf", 0.03), steps=1),
}


def without_capture(step, device):
    """The step itself in place of a graph."""
    return step


class Case:
    """An attack on ``images``, to be run by the loop or by a graph."""

    def __init__(self, attack, classifier, images, targeted=False):
        labels = labels_of(classifier, images)
        self.attack, self.images = attack, images
        self.models = AttackModels(AutogradModel(classifier), classifier, is_copy=False)
        targets = (labels + 2) % 5 if targeted else None
        self.batch = AttackBatch.of(attack, images, labels, targets)
        self.start = attack._starts(images, None)

    def graph(self):
        return GraphAttack(self.attack, self.models, self.batch, without_capture)

    def by_loop(self):
        attack, samples = self.attack, len(self.images)
        recorder = TraceRecorder(attack.steps, self.start, 5, samples, attack.keep, frames=False)
        run(attack, self.models, self.batch, self.start, recorder, Callbacks())
        return recorder.finish(attack.steps)

    def by_graph(self, graph, callbacks=None):
        assert graph.acquire()
        return graph.run(self.attack, self.models, self.batch, self.start, callbacks or Callbacks())


@pytest.mark.parametrize("targeted", [False, True])
@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_on_fixed_tensors_is_the_loops(name, targeted):
    case = Case(ATTACKS[name], smooth_classifier(), any_images(6), targeted)
    adversarial, trace = case.by_loop()
    graph = case.graph()
    for _ in range(2):  # the tensors are used again
        again, graph_trace = case.by_graph(graph)
        # Sums are taken in another order where memory begins elsewhere.
        torch.testing.assert_close(again, adversarial, atol=1e-6, rtol=0)
        for field in ("loss", "logits", "gradient_norm", "distance", "success", "kept"):
            ours, theirs = getattr(graph_trace, field), getattr(trace, field)
            torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-5, msg=field)


def test_an_attack_leaves_nothing_behind_for_the_next():
    classifier = smooth_classifier()
    first = Case(ATTACKS["linf"], classifier, any_images(4, seed=1))
    graph = first.graph()
    first.by_graph(graph)
    other = replace(ATTACKS["linf"], threat=Threat("linf", 0.01), seed=3, steps=4)
    second = Case(other, classifier, any_images(4, seed=2))
    assert torch.equal(second.by_graph(graph)[0], second.by_loop()[0])


def test_callbacks_are_called():
    case, reports = Case(ATTACKS["linf"], smooth_classifier(), any_images(2)), []
    graph = case.graph()
    case.by_graph(graph, Callbacks(on_step=lambda *args: reports.append(args)))
    assert reports[-1][:2] == (7, 7)
    with pytest.raises(Cancelled):
        case.by_graph(graph, Callbacks(cancelled=lambda: True))


def find(case):
    return cuda_graph.find(case.attack, case.models, case.batch, False, Callbacks())


@pytest.mark.parametrize("setting", ["0", "1"])
def test_on_a_cpu_the_loop_serves(monkeypatch, setting):
    monkeypatch.setenv("EXPLORER_GRAPHS", setting)
    assert find(Case(ATTACKS["linf"], smooth_classifier(), any_images(2))) is None


def test_any_exception_in_capture_falls_back_to_the_loop(monkeypatch):
    def failing(step, device):
        raise OSError("the driver is gone")

    monkeypatch.setattr(GraphAttack.__init__, "__defaults__", (failing,))
    case = Case(ATTACKS["linf"], smooth_classifier(), any_images(2))
    assert cuda_graph.verified_graph(case.attack, case.models, case.batch) is None


@needs_cuda
def test_graphs_are_off_unless_they_are_asked_for(monkeypatch):
    monkeypatch.delenv("EXPLORER_GRAPHS", raising=False)
    case = Case(ATTACKS["linf"], load("cifar10-standard", device="cuda"), torch.rand(2, 3, 32, 32))
    assert find(case) is None


@needs_cuda
@pytest.mark.parametrize("precision", ["float32", "folded", "bfloat16"])
@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_a_graph_is_the_loop(norm, precision, monkeypatch):
    monkeypatch.setenv("EXPLORER_GRAPHS", "1")
    classifier = load("cifar10-standard", device="cuda")
    images = torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    labels = classifier(images.cuda()).argmax(dim=1).cpu()
    attack = PGD(Threat(norm, 8 / 255 if norm == "linf" else 0.5), steps=10, precision=precision)
    graphs, original = [], cuda_graph.find
    monkeypatch.setattr(cuda_graph, "find", lambda *a: graphs.append(original(*a)) or graphs[-1])
    twice = [attack(classifier, images, labels) for _ in range(2)]
    assert graphs[0] is not None
    assert graphs[0] is graphs[1]
    assert torch.equal(twice[0].adversarial, twice[1].adversarial)
    by_loop = attack(classifier, images, labels, on_image=lambda *_: None)
    assert torch.equal(twice[0].success, by_loop.success)
    torch.testing.assert_close(twice[0].trace.loss[0], by_loop.trace.loss[0], atol=0.05, rtol=0.05)


@needs_cuda
def test_what_can_not_be_captured_is_attacked_by_the_loop(monkeypatch):
    monkeypatch.setenv("EXPLORER_GRAPHS", "1")
    classifier = load("cifar10-standard", device="cuda")
    inner = classifier.module.forward
    # It asks the device for a value, which a graph can't.
    classifier.module.forward = lambda images: inner(images) * min(1.0, 2 + float(images.sum()))
    images = torch.rand(2, 3, 32, 32)
    attack = PGD(Threat("linf", 8 / 255), steps=3, precision="float32")
    assert attack(classifier, images, torch.tensor([1, 2])).adversarial.shape == images.shape
