"""Weights fit a network under any prefix, and what stands beside them is left out."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from explorer.classifiers import ClassifierError
from explorer.classifiers.fitting import load_weights


def network(seed=0):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Linear(4, 2))


def state(prefix="", seed=1):
    return {prefix + name: value for name, value in network(seed).state_dict().items()}


@pytest.mark.parametrize(
    "saved",
    [
        state(),
        state("classifier.net._impl."),
        state("model.") | {"criterion.weight": torch.ones(2), "train_acc.total": torch.ones(1)},
        state("student.") | state("teacher.", seed=2),
        state("net.", seed=2) | state("net_ema."),
        state("a.b.") | {"0.weight": torch.ones(3)},
        {name: value for name, value in state().items() if "num_batches" not in name},
        {name: value.double() for name, value in state().items() if value.is_floating_point()},
    ],
)
def test_the_network_among_all_tensors(saved):
    module = network()
    load_weights(module, saved, "mine")
    for name, value in state().items():
        assert torch.allclose(module.state_dict()[name], value, atol=1e-3)
        assert module.state_dict()[name].dtype == value.dtype


@pytest.mark.parametrize(
    ("saved", "words"),
    [
        (state() | {"extra": torch.ones(1)}, r"tensors it does not know \(1, such as extra\)"),
        (state("m.") | {"m.extra": torch.ones(1)}, "tensors it does not know"),
        ({"x": torch.ones(1)}, r"tensors are missing \(8, such as 0\.weight\)"),
        (state() | {"2.bias": torch.ones(3)}, r"of another shape \(1, such as 2\.bias\)"),
        (
            state() | {"2.weight": torch.ones(10, 4), "2.bias": torch.ones(10)},
            "they are for 10 classes and the network has 2: add them with their labels, on",
        ),
        (state() | {"2.bias": torch.tensor([1.0, float("nan")])}, "not finite, such as in 2.bias"),
    ],
)
def test_what_does_not_fit_is_named(saved, words):
    with pytest.raises(ClassifierError, match=words):
        load_weights(network(), saved, "mine")


def test_a_module_that_asks_for_the_version_of_its_layout_gets_it():
    class Versioned(nn.Linear):
        _version = 7

        def _load_from_state_dict(self, state_dict, prefix, local_metadata, *rest):
            self.loaded = local_metadata.get("version")
            super()._load_from_state_dict(state_dict, prefix, local_metadata, *rest)

    module = Versioned(2, 2)
    load_weights(module, dict(module.state_dict()), "mine")
    assert module.loaded == 7
