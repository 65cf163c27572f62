"""The frozen copy: the same function as the original, which is left as it was."""

import copy

import pytest
import torch
from torch import nn

from explorer.attacks.objective import AttackError, Eye
from explorer.classifiers import Classifier, ClassifierError
from explorer.engine.folding import fold_batch_norms
from explorer.engine.optimized_copy import Taped, prepare
from tests.networks import Convolutional, Shared, Tapped, Twisting, classifier_of, pooled, seeded


def same(module, n):
    images = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    before = module(images)
    folded = copy.deepcopy(module)
    assert fold_batch_norms(folded) == n
    torch.testing.assert_close(folded(images), before)


def test_a_batch_norm_is_folded_and_the_function_stays():
    module = seeded(
        nn.Sequential(
            nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.LazyLinear(3)
        )
    )
    same(module, 1)


def test_a_max_pool_may_stand_between():
    same(pooled(), 1)


def test_a_negative_scale_is_not_moved_past_a_max_pool():
    module = pooled()
    module[2].weight.data[0] = -1
    same(module, 0)


@pytest.mark.parametrize("kind", [Shared, Tapped, Twisting])
def test_what_can_not_be_folded_safely_is_left_alone(kind):
    same(seeded(kind()), 0)


def test_the_original_is_left_as_it_was():
    module = pooled()
    module(torch.rand(2, 3, 8, 8))
    before = {name: value.clone() for name, value in module.state_dict().items()}
    copied = prepare(classifier_of(module), torch.bfloat16)
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


@pytest.mark.parametrize("kind", [WithFeatures, Convolutional, pooled])
def test_a_copys_features_are_the_originals(kind):
    torch.manual_seed(0)
    module = kind().eval()
    module(torch.rand(2, 3, 8, 8))
    classifier = Classifier(
        module,
        labels=["a", "b", "c"],
        input_size=(8, 8),
        mean=(0.1, 0.2, 0.3),
        std=(0.5, 0.25, 2.0),
    )
    images = torch.rand(2, 3, 8, 8)
    for taped in (False, True):
        copied = prepare(classifier, torch.float32, taped)
        assert isinstance(copied.module, Taped) == taped
        torch.testing.assert_close(copied(images), classifier(images), atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(
            copied.features(images), classifier.features(images), atol=1e-5, rtol=1e-4
        )


class Late(nn.Module):
    """Nothing its normalisation could be folded into comes first."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3)

    def forward(self, images):
        return self.conv(images.tanh()).mean(dim=(2, 3))


@pytest.mark.parametrize("kind", [Convolutional, Late])
def test_a_look_with_a_tape_is_the_look_with_the_classifier(kind):
    """Whatever of the normalisation was folded away."""
    torch.manual_seed(0)
    module, labels = kind().eval(), torch.tensor([0, 1])
    classifier = Classifier(
        module,
        labels=["a", "b", "c"],
        input_size=(8, 8),
        mean=(0.1, 0.2, 0.3),
        std=(0.5, 0.25, 2.0),
    )
    copied = prepare(classifier, torch.float32, taped=True)
    assert (copied.std == (1.0, 1.0, 1.0)) == (kind is Convolutional)
    images = torch.rand(2, 3, 8, 8)
    ours, theirs = (
        Eye(each, "ce", labels, None).look(images, last=False) for each in (copied, classifier)
    )
    for name in ("value", "slope", "logits", "gradient"):
        torch.testing.assert_close(getattr(ours, name), getattr(theirs, name), atol=1e-6, rtol=1e-4)


class Stepped(nn.Module):
    """No gradient comes back through a comparison."""

    def __init__(self):
        super().__init__()
        self.head = nn.Linear(3, 3)

    def forward(self, images):
        return self.head(images.gt(0.5).float().mean(dim=(2, 3)))


def test_a_tape_no_gradient_comes_through_is_one_sentence():
    copied = prepare(classifier_of(Stepped()), torch.float32, taped=True)
    with pytest.raises(AttackError, match="not differentiable"):
        Eye(copied, "ce", torch.tensor([0, 1]), None).look(torch.rand(2, 3, 8, 8), last=False)


class Pooling(nn.Module):
    """It has nothing that could be called features."""

    def forward(self, images):
        return images.mean(dim=(2, 3)) * 2


def test_a_copy_of_what_has_no_features_says_so():
    copied = prepare(classifier_of(Pooling()), torch.float32, taped=True)
    with pytest.raises(ClassifierError, match="features"):
        copied.features(torch.rand(2, 3, 8, 8))


def test_features_that_are_the_image_itself():
    """The only convolution makes the logits."""
    classifier = classifier_of(Shared().eval())
    images = torch.rand(2, 3, 8, 8)
    copied = prepare(classifier, torch.float32, taped=True)
    torch.testing.assert_close(copied.features(images), classifier.features(images))


def test_the_normalisations_scale_goes_into_the_first_convolution_where_it_alone_sees_the_image():
    def scaled(module):
        module(torch.rand(2, 3, 8, 8))
        return Classifier(
            module.eval(), labels=["a", "b", "c"], input_size=(8, 8), std=(0.5, 0.25, 2.0)
        )

    assert prepare(scaled(pooled()), torch.float32).std == (1.0, 1.0, 1.0)
    assert prepare(scaled(Shared()), torch.float32).std == (
        0.5,
        0.25,
        2.0,
    )  # that convolution is called twice


class Prefixed(nn.Module):
    """Something is done to each colour before the first convolution."""

    def __init__(self, scales, bend=False, tapped=False):
        super().__init__()
        self.conv, self.scales, self.bend, self.tapped = (
            nn.Conv2d(3, 3, 3, padding=1),
            scales,
            bend,
            tapped,
        )

    def forward(self, images):
        planes = [images[:, i : i + 1] * scale + 0.1 * i for i, scale in enumerate(self.scales)]
        seen = torch.cat([plane**2 if self.bend else plane for plane in planes], dim=1)
        return self.conv(seen).relu().mean(dim=(2, 3)) + (
            seen.mean(dim=(2, 3)) if self.tapped else 0
        )


@pytest.mark.parametrize(
    ("options", "folded", "in_the_convolution"),
    [
        ({}, True, True),
        ({"bend": True}, False, False),
        ({"tapped": True}, True, False),
        ({"scales": (0.5, -2.0, 1.0)}, False, False),
    ],
)
def test_a_scale_and_shift_of_each_colour_becomes_the_normalisation(
    options, folded, in_the_convolution
):
    torch.manual_seed(0)
    module = Prefixed(**{"scales": (0.5, 2.0, 1.0), **options}).eval()
    classifier = Classifier(
        module,
        labels=["a", "b", "c"],
        input_size=(8, 8),
        mean=(0.1, 0.2, 0.3),
        std=(0.5, 0.25, 2.0),
    )
    images = torch.rand(2, 3, 8, 8)
    for taped in (False, True):
        copied = prepare(classifier, torch.float32, taped)
        torch.testing.assert_close(copied(images), classifier(images), atol=1e-5, rtol=1e-4)
        assert (copied.mean != classifier.mean) == folded
        assert (copied.std == (1.0, 1.0, 1.0)) == in_the_convolution
