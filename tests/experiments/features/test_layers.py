"""Distances of activations against closed forms, the names of layers, and where paths part."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
import torch
from torch import nn

from explorer.classifiers import Classifier
from explorer.errors import Cancelled
from explorer.experiments.features.layers import (
    MAX_LAYERS,
    ClassifierLayers,
    LayerDistance,
    compare_layers,
    layer_distances,
    layers_of,
    layers_recipe,
    relative_distances,
)
from explorer.experiments.noise_control import with_noise
from explorer.experiments.one_image.attack_image import attack_image
from explorer.experiments.one_image.report import AttackReport
from explorer.images.geometry import preprocess
from tests.experiments.features.pictures import small_picture
from tests.small_models import SIDE, linear_classifier, smooth_classifier

RECIPE = replace(layers_recipe("test", "a", 0.3), steps=4)


def attacked(model: Classifier) -> AttackReport:
    return attack_image(model, preprocess(small_picture(), model), RECIPE)


def test_the_distances_of_a_linear_layer_are_those_of_its_closed_form() -> None:
    model = linear_classifier(classes=3)
    report = attacked(model)
    pixels, layer, logits = layer_distances(model, report, draws=3)
    assert [pixels.name, layer.name, logits.name] == ["pixels", "layer linear", "logits"]
    delta = report.adversarial - report.original
    assert pixels.adversarial == pytest.approx(float(delta.norm() / report.original.norm()))
    clean = model(report.original[None]).detach()
    moved = delta.flatten() @ model.module.layer.weight.detach().T  # type: ignore[union-attr]
    assert logits.adversarial == pytest.approx(float(moved.norm() / clean.norm()), rel=1e-4)
    assert layer.adversarial == logits.adversarial
    for draw in range(3):
        noise = with_noise(report.original, "l2", report.l2, 0, draw)
        expected = float((model(noise[None]).detach() - clean).norm() / clean.norm())
        assert logits.noise[draw] == pytest.approx(expected, rel=1e-4)


def test_the_noise_is_as_far_from_the_picture_as_the_attack() -> None:
    pixels = layer_distances(smooth_classifier(), attacked(smooth_classifier()))[0]
    assert pixels.noise == pytest.approx([pixels.adversarial] * 10, rel=1e-5)


def test_every_layer_is_followed_in_its_order_and_no_hook_stays() -> None:
    model = smooth_classifier()
    model.train()
    names = [layer.name for layer in layer_distances(model, attacked(model))]
    assert names == [
        "pixels",
        "body.0 convolution",
        "body.1 batch norm",
        "body.2 SiLU",
        "body.3 Dropout",
        "body.4 Flatten",
        "body.5 linear",
        "logits",
    ]
    assert model.training
    assert not any(part._forward_hooks for part in model.modules())


def test_layers_are_as_fine_as_their_number_allows_and_lists_are_none() -> None:
    class Block(nn.Module):
        def __init__(self, parts: int) -> None:
            super().__init__()
            self.parts = nn.Sequential(*(nn.ReLU() for _ in range(parts)))

    class Net(nn.Module):
        def __init__(self, blocks: int, parts: int) -> None:
            super().__init__()
            self.blocks = nn.ModuleList(Block(parts) for _ in range(blocks))

    assert list(layers_of(Net(2, 3)))[:2] == ["blocks.0.parts.0", "blocks.0.parts.1"]
    assert len(layers_of(Net(2, 3))) == 6
    coarse = layers_of(Net(9, MAX_LAYERS))
    assert len(coarse) == 9
    assert all(isinstance(part, nn.Sequential) for part in coarse.values())
    assert list(layers_of(nn.ReLU())) == [""]


def test_a_layer_that_is_used_twice_has_two_distances() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.flat, self.act, self.end = nn.Flatten(), nn.Tanh(), nn.Linear(3 * SIDE**2, 2)

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return self.end(self.act(self.act(self.flat(images))))  # type: ignore[no-any-return]

    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = Classifier(Twice(), labels=("a", "b"), input_size=(SIDE, SIDE))
    names = [layer.name for layer in layer_distances(model, attacked(model))]
    assert names[2:4] == ["act Tanh", "act Tanh (2)"]


def test_a_layer_whose_clean_activations_are_zero_is_left_out() -> None:
    assert relative_distances(torch.tensor([[0.0, 0.0], [1.0, 0.0]])) == []
    assert relative_distances(torch.tensor([[3.0, 4.0], [3.0, 9.0]])) == [1.0]


def test_another_thread_that_runs_the_classifier_meanwhile_is_not_measured() -> None:
    model = smooth_classifier()
    report = attacked(model)
    expected = layer_distances(model, report)
    image = report.original[None]

    class Busy(nn.Module):
        """Runs the same layers in another thread in the middle of the pass."""

        def __init__(self) -> None:
            super().__init__()
            self.body = model.module.body

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            other = threading.Thread(target=lambda: self.body(image))
            other.start()
            other.join()
            result: torch.Tensor = self.body(images)
            return result

    busy = Classifier(
        Busy(), labels=model.labels, input_size=(SIDE, SIDE), mean=model.mean, std=model.std
    )
    assert layer_distances(busy, report) == expected


def test_the_paths_part_where_the_attack_stays_ahead_of_every_draw() -> None:
    model = smooth_classifier()
    layers = tuple(
        LayerDistance(f"layer {index}", adversarial, (0.5, 1.0))
        for index, adversarial in enumerate((2.5, 1.0, 1.9, 2.0, 8.0))
    )
    each = ClassifierLayers("a", "A", False, attacked(model), layers)
    assert each.parting is layers[3]
    assert replace(each, layers=layers[:3]).parting is None
    assert layers[0].mean_noise == 0.75


def test_each_classifier_has_its_own_attack_and_the_work_stops_when_asked() -> None:
    models = {"a": smooth_classifier(), "b": smooth_classifier(seed=1)}
    steps: list[tuple[int, int]] = []
    answers = compare_layers(
        models, small_picture(), RECIPE, on_step=lambda done, total: steps.append((done, total))
    )
    assert steps == [(done, 8) for done in range(1, 9)]
    for each in answers:
        alone = attacked(models[each.name])
        assert torch.equal(each.report.adversarial, alone.adversarial)
        assert each.layers == layer_distances(models[each.name], alone)
    with pytest.raises(Cancelled):
        compare_layers(models, small_picture(), RECIPE, cancelled=lambda: True)
