"""The optimized copy computes the original's function and leaves the original as it was."""

import copy

import pytest
import torch
from torch import nn

from explorer.attacks.objective import Objective
from explorer.classifiers import Classifier, ClassifierError
from explorer.engine import NoGradientError
from explorer.engine.folding import fold_batch_norms
from explorer.engine.gradient_model import AutogradModel
from explorer.engine.optimized_copy import optimized_copy, with_channels_last
from explorer.engine.tape_model import TapeModel
from tests.networks import (
    ConvHead,
    SharedConv,
    SharedConvOutput,
    ValueDependent,
    classifier_of,
    conv_pool_norm_relu,
    with_random_norms,
)


def normalising(module):
    return Classifier(
        module.eval(),
        labels=["a", "b", "c"],
        input_size=(8, 8),
        mean=(0.1, 0.2, 0.3),
        std=(0.5, 0.25, 2.0),
    )


def as_autograd(classifier):
    return AutogradModel(with_channels_last(optimized_copy(classifier, torch.float32)))


def as_tape(classifier):
    return TapeModel(optimized_copy(classifier, torch.float32))


def assert_folds(module, count):
    images = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    before = module(images)
    folded = copy.deepcopy(module)
    assert fold_batch_norms(folded) == count
    torch.testing.assert_close(folded(images), before)


def test_a_batch_norm_is_folded_and_the_function_stays():
    convolution = (nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU())
    assert_folds(with_random_norms(nn.Sequential(*convolution, nn.Flatten(), nn.LazyLinear(3))), 1)


def test_a_max_pool_may_stand_between():
    assert_folds(conv_pool_norm_relu(), 1)


def test_a_negative_scale_is_not_moved_past_a_max_pool():
    module = conv_pool_norm_relu()
    module[2].weight.data[0] = -1
    assert_folds(module, 0)


@pytest.mark.parametrize("kind", [SharedConv, SharedConvOutput, ValueDependent])
def test_what_can_not_be_folded_safely_stays(kind):
    assert_folds(with_random_norms(kind()), 0)


def test_the_original_stays_as_it_was():
    module = conv_pool_norm_relu()
    module(torch.rand(2, 3, 8, 8))
    before = {name: value.clone() for name, value in module.state_dict().items()}
    copied = optimized_copy(classifier_of(module), torch.bfloat16)
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
    assert copied.module is not module
    assert not any(parameter.requires_grad for parameter in copied.module.parameters())


class WithFeatures(nn.Module):
    """Its features end before the ReLU."""

    def __init__(self):
        super().__init__()
        self.conv, self.relu = nn.Conv2d(3, 3, 3), nn.ReLU()

    def features(self, images):
        return self.conv(images).mean(dim=(2, 3))

    def forward(self, images):
        return self.relu(self.conv(images)).mean(dim=(2, 3))


@pytest.mark.parametrize("form", [as_autograd, as_tape])
@pytest.mark.parametrize("kind", [WithFeatures, ConvHead, conv_pool_norm_relu])
def test_logits_and_features_are_the_originals(kind, form):
    torch.manual_seed(0)
    module = kind().eval()
    module(torch.rand(2, 3, 8, 8))
    classifier, images = normalising(module), torch.rand(2, 3, 8, 8)
    model, tolerance = form(classifier), {"atol": 1e-5, "rtol": 1e-4}
    torch.testing.assert_close(model.logits(images), classifier(images), **tolerance)
    torch.testing.assert_close(model.features(images), classifier.features(images), **tolerance)


class Late(nn.Module):
    """No convolution takes the image, so that the normalisation can't be folded."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3)

    def forward(self, images):
        return self.conv(images.tanh()).mean(dim=(2, 3))


@pytest.mark.parametrize("kind", [ConvHead, Late])
def test_a_tapes_evaluation_is_the_classifiers(kind):
    """Whatever part of the normalisation was folded."""
    torch.manual_seed(0)
    classifier = normalising(kind())
    copied = optimized_copy(classifier, torch.float32)
    assert (copied.std == (1.0, 1.0, 1.0)) == (kind is ConvHead)
    images, objective = torch.rand(2, 3, 8, 8), Objective("ce", torch.tensor([0, 1]), None)
    ours, theirs = (objective(m, images) for m in (TapeModel(copied), AutogradModel(classifier)))
    for name in ("loss", "scale", "logits", "gradient"):
        torch.testing.assert_close(getattr(ours, name), getattr(theirs, name), atol=1e-6, rtol=1e-4)


class Stepped(nn.Module):
    """No gradient passes a comparison."""

    def __init__(self):
        super().__init__()
        self.head = nn.Linear(3, 3)

    def forward(self, images):
        return self.head(images.gt(0.5).float().mean(dim=(2, 3)))


@pytest.mark.parametrize("form", [AutogradModel, as_autograd, as_tape])
def test_a_network_without_a_gradient_is_one_sentence(form):
    _, vjp = form(classifier_of(Stepped())).logits_vjp(torch.rand(2, 3, 8, 8))
    with pytest.raises(NoGradientError, match="not differentiable"):
        vjp(torch.ones(2, 3))


class ChangedInPlace(nn.Module):
    """The square's gradient needs its input, which is another one afterwards."""

    def forward(self, images):
        answers = (images**2).flatten(1)[:, :3]
        images.mul_(2)
        return answers


def test_an_operation_in_place_that_the_gradient_forbids_is_one_sentence():
    _, vjp = AutogradModel(classifier_of(ChangedInPlace())).logits_vjp(torch.rand(2, 3, 8, 8))
    with pytest.raises(NoGradientError, match="changes a tensor in place"):
        vjp(torch.ones(2, 3))


class Pooling(nn.Module):
    """It has no layer that could be called features."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(2.0))

    def forward(self, images):
        return images.mean(dim=(2, 3)) * self.scale


def test_a_copy_of_a_network_without_features_says_so():
    model = as_tape(classifier_of(Pooling()))
    with pytest.raises(ClassifierError, match="features"):
        model.features(torch.rand(2, 3, 8, 8))


def test_features_can_be_the_image_itself():
    """The only convolution makes the logits."""
    classifier = classifier_of(SharedConv().eval())
    images = torch.rand(2, 3, 8, 8)
    torch.testing.assert_close(as_tape(classifier).features(images), classifier.features(images))


def test_the_std_is_folded_into_the_first_convolution_if_it_alone_takes_the_image():
    module = conv_pool_norm_relu()
    module(torch.rand(2, 3, 8, 8))
    assert optimized_copy(normalising(module), torch.float32).std == (1.0, 1.0, 1.0)
    # Its convolution is called twice.
    assert optimized_copy(normalising(SharedConv()), torch.float32).std == (0.5, 0.25, 2.0)
