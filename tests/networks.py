"""Small networks, each with a property that an optimized copy has to respect."""

import torch
from torch import nn

from explorer.classifiers import Classifier
from explorer.engine.gradient_model import AutogradModel


def with_random_norms(module):
    """``module`` in evaluation mode, its batch norms with random statistics and scales."""
    generator = torch.Generator().manual_seed(0)
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.running_mean.copy_(torch.randn(part.num_features, generator=generator))
            part.running_var.copy_(torch.rand(part.num_features, generator=generator) + 0.5)
            part.weight.data.copy_(torch.rand(part.num_features, generator=generator) + 0.5)
            part.bias.data.copy_(torch.randn(part.num_features, generator=generator))
    return module.eval()


def conv_norm_relu(between=nn.Identity):
    return with_random_norms(
        nn.Sequential(
            nn.Conv2d(3, 4, 3),
            between(),
            nn.BatchNorm2d(4),
            nn.ReLU(),
            nn.Flatten(),
            nn.LazyLinear(3),
        )
    )


def conv_pool_norm_relu():
    return conv_norm_relu(lambda: nn.MaxPool2d(2))


class SharedConv(nn.Module):
    """A convolution that is used twice."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 3, 3, padding=1), nn.BatchNorm2d(3)

    def forward(self, images):
        return (self.norm(self.conv(images)) + self.conv(images)).mean(dim=(2, 3))


class SharedConvOutput(SharedConv):
    """The convolution's output is also used unnormalised."""

    def forward(self, images):
        output = self.conv(images)
        return (self.norm(output) + output).mean(dim=(2, 3))


class ValueDependent(SharedConv):
    """The values decide what is computed, so that it can't be captured."""

    def forward(self, images):
        return self.norm(self.conv(images)).mean(dim=(2, 3)) * (2 if images.sum() > 0 else 1)


class ConvHead(nn.Module):
    """A convolution computes the logits: the features are the spatial means of its input."""

    def __init__(self):
        super().__init__()
        self.conv, self.head = nn.Conv2d(3, 5, 3), nn.Conv2d(5, 3, 1)

    def forward(self, images):
        return self.head(self.conv(images).relu()).mean(dim=(2, 3))


class OnlyFloat32(nn.Module):
    """Works in one type alone, as a person's module may."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3)

    def forward(self, images):
        if images.dtype != torch.float32:
            raise TypeError("float32 only")
        return self.conv(images).mean(dim=(2, 3))


class Scrambled(OnlyFloat32):
    """Another function as soon as its input is not float32."""

    def forward(self, images):
        return self.conv(images).mean(dim=(2, 3)) * (1 if images.dtype == torch.float32 else -1)


def classifier_of(module):
    return Classifier(module, labels=["a", "b", "c"], input_size=(8, 8))


class LyingModel:
    """Replaces :func:`gradient_model`: its copy is wrong and takes every image for fooled."""

    def __init__(self, classifier, labels):
        class Lying(nn.Module):
            def forward(self, normalised):
                logits = classifier.module(normalised)
                repeated = labels.repeat(len(logits))[: len(logits)]
                return logits - 100 * nn.functional.one_hot(repeated, logits.shape[1])

        self._copy = AutogradModel(classifier.with_module(Lying()))

    def instead_of_a_copy(self, classifier, precision="auto"):
        if precision == "float32":
            return AutogradModel(classifier), "float32"
        return self._copy, "bfloat16"
