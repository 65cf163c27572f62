"""Small networks that are hard to copy, each in its way."""

import torch
from torch import nn

from explorer.classifiers import Classifier


def seeded(module):
    """Batch norms with statistics and scales of their own, some negative where ``module`` was made so."""
    generator = torch.Generator().manual_seed(0)
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.running_mean.copy_(torch.randn(part.num_features, generator=generator))
            part.running_var.copy_(torch.rand(part.num_features, generator=generator) + 0.5)
            part.weight.data.copy_(torch.rand(part.num_features, generator=generator) + 0.5)
            part.bias.data.copy_(torch.randn(part.num_features, generator=generator))
    return module.eval()


def plain(between=nn.Identity):
    return seeded(
        nn.Sequential(
            nn.Conv2d(3, 4, 3),
            between(),
            nn.BatchNorm2d(4),
            nn.ReLU(),
            nn.Flatten(),
            nn.LazyLinear(3),
        )
    )


def pooled():
    return plain(lambda: nn.MaxPool2d(2))


class Shared(nn.Module):
    """One convolution, used twice."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 3, 3, padding=1), nn.BatchNorm2d(3)

    def forward(self, images):
        return (self.norm(self.conv(images)) + self.conv(images)).mean(dim=(2, 3))


class Tapped(Shared):
    """The convolution's output is also used unnormalised."""

    def forward(self, images):
        seen = self.conv(images)
        return (self.norm(seen) + seen).mean(dim=(2, 3))


class Twisting(Shared):
    """Its path depends on the values, so that it can't be traced."""

    def forward(self, images):
        return self.norm(self.conv(images)).mean(dim=(2, 3)) * (2 if images.sum() > 0 else 1)


class Convolutional(nn.Module):
    """Its logits are made by a convolution: features are the means of what that is given."""

    def __init__(self):
        super().__init__()
        self.conv, self.head = nn.Conv2d(3, 5, 3), nn.Conv2d(5, 3, 1)

    def forward(self, images):
        return self.head(self.conv(images).relu()).mean(dim=(2, 3))


def classifier_of(module):
    return Classifier(module, labels=["a", "b", "c"], input_size=(8, 8))
