"""Attacks on fixed tensors: on any device the same as the loop; on a GPU as CUDA graphs."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import torch

from explorer.attacks import PGD, Threat, cuda_graph
from explorer.attacks.cuda_graph import GraphAttack
from explorer.attacks.loop import AttackBatch, AttackModels, Callbacks, run
from explorer.attacks.recorder import TraceRecorder
from explorer.attacks.settings import RULES
from explorer.classifiers import load
from explorer.engine.gradient_model import AutogradModel
from explorer.errors import Cancelled
from explorer.system import make_cuda_repeatable, tune_process
from tests.small_models import any_images, labels_of, smooth_classifier

needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")

FIELDS = ("loss", "logits", "gradient_norm", "distance", "success", "kept")

ATTACKS = {
    "linf": PGD(Threat("linf", 0.05), steps=7),
    "l2, a radius each": PGD(Threat("l2", torch.linspace(0.1, 1.0, 6)), steps=7),
    "last, a step size": PGD(Threat("linf", 0.05), steps=5, step_size=0.01, keep="last"),
    "restarts": PGD(Threat("l2", 0.4), steps=4, restarts=3, loss="dlr"),
    "margin": PGD(Threat("linf", 0.03), steps=4, loss="cw"),
    "one step": PGD(Threat("linf", 0.03), steps=1),
    "momentum": PGD(Threat("l2", 0.5), steps=6, restarts=2, rule="momentum"),
    "momentum, a step size": PGD(Threat("linf", 0.05), steps=5, step_size=0.01, rule="momentum"),
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

    def graph(self, frames=False):
        return GraphAttack(self.attack, self.models, self.batch, frames, without_capture)

    def by_loop(self, frames=False):
        attack, samples = self.attack, len(self.images)
        recorder = TraceRecorder(attack.steps, self.start, 5, samples, attack.keep, frames)
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
        # Sums may be taken in another order where memory begins elsewhere.
        torch.testing.assert_close(again, adversarial, atol=1e-6, rtol=0)
        for field in FIELDS:
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


@pytest.mark.parametrize("step_size", [None, 0.004])
def test_a_step_is_as_long_as_the_loops(step_size):
    attack = PGD(Threat("l2", 0.5), steps=9, step_size=step_size)
    case = Case(attack, smooth_classifier(), any_images(2))
    scales = case.graph()._step_scales[:9]
    assert scales.tolist() == torch.tensor([attack.step_scale(i) for i in range(9)]).tolist()


def test_frames_are_those_of_the_loop():
    case = Case(ATTACKS["linf"], smooth_classifier(), any_images(3))
    frames = case.by_loop(frames=True)[1].frames
    assert torch.equal(case.by_graph(case.graph(frames=True))[1].frames, frames)


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
    assert cuda_graph.verified_graph(case.attack, case.models, case.batch, False) is None


@pytest.fixture
def bundled():
    """A classifier in a process that is set up as the app and the command line are."""
    tune_process()
    make_cuda_repeatable()
    return load("cifar10-standard", device="cuda")


@pytest.fixture
def graphs(monkeypatch):
    """The graphs that attacks got, None for the loop."""
    received, original = [], cuda_graph.find
    monkeypatch.setattr(
        cuda_graph, "find", lambda *a: received.append(original(*a)) or received[-1]
    )
    return received


@needs_cuda
def test_graphs_can_be_turned_off(bundled, graphs, monkeypatch):
    images = any_images(2, side=32)
    attack, labels = PGD(Threat("linf", 0.03), steps=3), labels_of(bundled, images)
    for setting in ("0", "1"):
        monkeypatch.setenv("EXPLORER_GRAPHS", setting)
        attack(bundled, images, labels)
    assert graphs[0] is None
    assert graphs[1] is not None


@needs_cuda
@pytest.mark.parametrize("frames", [False, True])
@pytest.mark.parametrize("precision", ["float32", "folded", "bfloat16"])
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_a_graph_gives_the_bytes_of_the_loop(
    norm, rule, precision, frames, bundled, graphs, monkeypatch
):
    images = any_images(4, side=32)
    labels = labels_of(bundled, images)
    threat = Threat(norm, 8 / 255 if norm == "linf" else 0.5)
    attack = PGD(threat, steps=10, rule=rule, precision=precision)
    twice = [attack(bundled, images, labels, frames=frames) for _ in range(2)]
    assert graphs[0] is not None
    assert graphs[0] is graphs[1]
    monkeypatch.setenv("EXPLORER_GRAPHS", "0")
    by_loop = attack(bundled, images, labels, frames=frames)
    for result in twice:
        assert torch.equal(result.adversarial, by_loop.adversarial)
        for field in FIELDS:
            assert torch.equal(getattr(result.trace, field), getattr(by_loop.trace, field)), field
        if frames:
            assert torch.equal(result.trace.frames, by_loop.trace.frames)


@needs_cuda
def test_attacks_at_once_give_the_bytes_of_one_alone(bundled):
    batches = [any_images(1, seed=seed, side=32) for seed in range(6)]
    attack = PGD(Threat("linf", 0.03), steps=10)

    def adversarial(images):
        return attack(bundled, images, labels_of(bundled, images)).adversarial

    alone = [adversarial(images) for images in batches]
    with ThreadPoolExecutor(len(batches)) as pool:
        together = list(pool.map(adversarial, batches))
    assert all(torch.equal(*pair) for pair in zip(alone, together, strict=True))


@needs_cuda
def test_what_can_not_be_captured_is_attacked_by_the_loop(bundled, graphs):
    inner = bundled.module.forward
    # It asks the device for a value, which a graph can't.
    bundled.module.forward = lambda images: (
        inner(images) * min(1.0, 2 + float(images.detach().sum()))
    )
    images = any_images(2, side=32)
    attack = PGD(Threat("linf", 8 / 255), steps=3, precision="float32")
    assert attack(bundled, images, torch.tensor([1, 2])).adversarial.shape == images.shape
    assert graphs == [None]
