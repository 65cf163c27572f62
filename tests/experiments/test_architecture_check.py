"""One architecture of each family, torchvision's and those for CIFAR, is built and attacked.

Four large ones, which take as long as all others together, only with ``EXPLORER_EVERY_LOOK=1``.
"""

from __future__ import annotations

import pytest

from explorer.classifiers import ClassifierError
from explorer.classifiers.architectures import architectures
from explorer.experiments import architecture_check
from explorer.experiments.architecture_check import check_architecture
from tests import EVERY_LOOK

FAMILIES = {  # the smallest of each
    "alexnet": "alexnet",
    "convnext": "convnext_tiny",
    "densenet": "densenet121",
    "efficientnet_b": "efficientnet_b0",
    "efficientnet_v2": "efficientnet_v2_s",
    "googlenet": "googlenet",
    "inception": "inception_v3",
    "maxvit": "maxvit_t",
    "mnasnet": "mnasnet0_5",
    "mobilenet_v2": "mobilenet_v2",
    "mobilenet_v3": "mobilenet_v3_small",
    "regnet_x": "regnet_x_400mf",
    "regnet_y": "regnet_y_400mf",
    "resnet": "resnet18",
    "resnext": "resnext50_32x4d",
    "shufflenet": "shufflenet_v2_x0_5",
    "squeezenet": "squeezenet1_1",
    "swin_v2": "swin_v2_t",
    "swin": "swin_t",
    "vgg": "vgg11_bn",
    "vit": "vit_b_32",
    "wide_resnet": "wide_resnet50_2",
    "cifar:": "cifar:resnet18",
}

LARGE = {"efficientnet_v2", "maxvit", "vgg", "wide_resnet"}
CHECKED = [name for family, name in FAMILIES.items() if EVERY_LOOK or family not in LARGE]


def test_every_architecture_is_of_one_of_the_families():
    known = tuple(FAMILIES)
    assert [name for name in architectures() if not name.startswith(known)] == []
    assert set(FAMILIES.values()) <= set(architectures())


@pytest.mark.parametrize("architecture", CHECKED)
def test_it_is_built_from_its_state_dict_and_attacked(architecture):
    outcome = check_architecture(architecture, "float32")  # a copy takes five times as long
    assert (outcome.problem, outcome.skipped) == ("", False)
    assert outcome.bytes > 10**6


def test_what_goes_wrong_is_told(monkeypatch):
    def fails(*_, **__):
        raise KeyError("_metadata")

    monkeypatch.setattr(architecture_check, "published_classifier", fails)
    assert check_architecture("squeezenet1_1").problem == "KeyError: '_metadata'"
    monkeypatch.setattr(architecture_check, "free_memory", lambda _: 10**6)
    outcome = check_architecture("squeezenet1_1")
    assert outcome.skipped
    assert outcome.problem == "it needs 0.0 GB of memory and 0.0 GB are free"
    with pytest.raises(ClassifierError, match="did you mean squeezenet1_0 or squeezenet1_1"):
        check_architecture("squeezenet1_2")
