"""The gap between two representations is the same whoever looks, and however many."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from explorer.classifiers import Classifier, load
from explorer.datasets.constructed.constructions import D_R
from explorer.datasets.constructed.representation_matching import Gap, match_representations
from explorer.engine import threads as crew
from explorer.engine.optimized_copy import Taped, prepare
from tests.networks import Convolutional
from tests.threads import threads


class WithHead(nn.Module):
    """Features are what its last layer is given."""

    def __init__(self):
        super().__init__()
        self.conv, self.head = nn.Conv2d(3, 4, 3), nn.Linear(144, 3)

    def forward(self, images):
        return self.head(self.conv(images).relu().flatten(1))


class WithFeatures(WithHead):
    """A method of its own, of maps."""

    def features(self, images):
        return self.conv(images).relu()


@pytest.mark.parametrize("kind", [WithFeatures, WithHead, Convolutional])
@pytest.mark.parametrize("last", [False, True])
def test_a_tapes_gap_is_the_classifiers(kind, last):
    torch.manual_seed(0)
    classifier = Classifier(
        kind().eval(),
        labels=["a", "b", "c"],
        input_size=(8, 8),
        mean=(0.1, 0.2, 0.3),
        std=(0.5, 0.25, 2.0),
    )
    copied = prepare(classifier, torch.float32, taped=True)
    assert isinstance(copied.module, Taped)
    assert copied.module.features_are_taped
    point, source = torch.rand(2, 2, 3, 8, 8)
    goal = classifier.features(source).detach()
    with torch.no_grad():
        ours, theirs = Gap.seen(copied, point, goal, last), Gap.seen(classifier, point, goal, last)
        closed = (classifier.features(point) - goal).norm(dim=1)
    torch.testing.assert_close(ours.distance, closed)
    torch.testing.assert_close(theirs.distance, closed)
    assert (ours.gradient is None) == (theirs.gradient is None) == last
    if not last:
        torch.testing.assert_close(ours.gradient, theirs.gradient, atol=1e-6, rtol=1e-4)


@pytest.mark.skipif(
    not torch.cpu._is_avx512_bf16_supported(), reason="needs a CPU with bfloat16 units"
)
@pytest.mark.parametrize("n", [1, 6])
def test_what_is_matched_does_not_depend_on_who_looks(monkeypatch, n):
    classifier = load("tiny12-standard")
    starts, sources = torch.rand(2, n, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    found, looks = [], []
    everybody = crew.Crew.all
    monkeypatch.setattr(
        crew.Crew, "all", lambda self, tasks: looks.append(len(tasks)) or everybody(self, tasks)
    )
    with threads(2):
        for apart in (False, True):
            monkeypatch.setattr(crew, "_known", type(crew._known)())
            monkeypatch.setattr(crew.Pace, "apart", lambda self, said=apart: said)
            looks.clear()
            found.append(
                match_representations(
                    replace(D_R, steps=4), classifier, sources, starts, precision="bfloat16"
                )
            )
            # Both ways once for each kind of look: with the gradient, and the last one without.
            assert len(looks) == (5 if apart else 2)
            assert set(looks) == {min(n, 2)}
    assert torch.equal(found[0].images, found[1].images)
    assert torch.equal(found[0].objective, found[1].objective)
