"""The distance of two representations is the same by every form of a classifier and thread."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from explorer.classifiers import Classifier, load
from explorer.datasets.constructed.constructions import D_R
from explorer.datasets.constructed.representation_matching import _evaluate, match_representations
from explorer.engine import strategies as engine_strategies
from explorer.engine import threads as engine_threads
from explorer.engine.gradient_model import AutogradModel
from explorer.engine.optimized_copy import optimized_copy
from explorer.engine.tape_model import TapeModel
from tests.networks import ConvHead
from tests.threads import threads


class WithHead(nn.Module):
    """Its features are the input of its last layer."""

    def __init__(self):
        super().__init__()
        self.conv, self.head = nn.Conv2d(3, 4, 3), nn.Linear(144, 3)

    def forward(self, images):
        return self.head(self.conv(images).relu().flatten(1))


class WithFeatures(WithHead):
    """Its own method returns maps."""

    def features(self, images):
        return self.conv(images).relu()


@pytest.mark.parametrize("kind", [WithFeatures, WithHead, ConvHead])
@pytest.mark.parametrize("with_gradient", [True, False])
def test_a_tapes_distance_is_the_classifiers(kind, with_gradient):
    torch.manual_seed(0)
    classifier = Classifier(
        kind().eval(),
        labels=["a", "b", "c"],
        input_size=(8, 8),
        mean=(0.1, 0.2, 0.3),
        std=(0.5, 0.25, 2.0),
    )
    tape_model = TapeModel(optimized_copy(classifier, torch.float32))
    assert tape_model._features is not None
    images, sources = torch.rand(2, 2, 3, 8, 8)
    goal = classifier.features(sources).detach()
    ours, theirs = (
        _evaluate(model, images, goal, with_gradient=with_gradient)
        for model in (tape_model, AutogradModel(classifier))
    )
    closed_form = (classifier.features(images) - goal).norm(dim=1).detach()
    torch.testing.assert_close(ours.distance, closed_form)
    torch.testing.assert_close(theirs.distance, closed_form)
    assert (ours.gradient is not None) == (theirs.gradient is not None) == with_gradient
    if with_gradient:
        torch.testing.assert_close(ours.gradient, theirs.gradient, atol=1e-6, rtol=1e-4)


@pytest.mark.skipif(
    not torch.cpu._is_avx512_bf16_supported(), reason="needs a CPU with bfloat16 units"
)
@pytest.mark.parametrize("n", [1, 6])
def test_the_result_does_not_depend_on_the_threads(monkeypatch, n):
    classifier = load("tiny12-standard")
    starts, sources = torch.rand(2, n, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    results, task_counts = [], []
    pool_run = engine_threads.EvaluationPool.run

    def counting_run(pool, tasks):
        task_counts.append(len(tasks))
        return pool_run(pool, tasks)

    monkeypatch.setattr(engine_threads.EvaluationPool, "run", counting_run)
    construction = replace(D_R, steps=4)
    with threads(2):
        for data_parallel in (False, True):
            monkeypatch.setattr(engine_strategies, "_kinds", type(engine_strategies._kinds)())
            monkeypatch.setattr(
                engine_strategies.StrategyTuner, "data_parallel", lambda self, it=data_parallel: it
            )
            task_counts.clear()
            results.append(
                match_representations(
                    construction, classifier, sources, starts, precision="bfloat16"
                )
            )
            # Both ways once for each kind: with the gradient, and the last point without.
            assert len(task_counts) == (5 if data_parallel else 2)
            assert set(task_counts) == {min(n, 2)}
    assert torch.equal(results[0].images, results[1].images)
    assert torch.equal(results[0].objective, results[1].objective)
