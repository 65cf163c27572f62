"""A classifier of a person's own that flattens with ``view``, as LeNet and VGG tutorials do."""

from __future__ import annotations

SOURCE = """
import torch
from torch import nn
from explorer.classifiers import Classifier

LABELS = "airplane automobile bird cat deer dog frog horse ship truck".split()

class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(3, 6, 5), nn.Conv2d(6, 16, 5)
        self.fc1, self.fc2, self.fc3 = nn.Linear(400, 120), nn.Linear(120, 84), nn.Linear(84, 10)

    def forward(self, x):
        x = torch.max_pool2d(torch.relu(self.conv1(x)), 2)
        x = torch.max_pool2d(torch.relu(self.conv2(x)), 2)
        x = x.view(x.size(0), -1)
        return self.fc3(torch.relu(self.fc2(torch.relu(self.fc1(x)))))

def make():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = LeNet().eval()
    return Classifier(module, labels=LABELS, input_size=(32, 32), mean=(0.5,) * 3, std=(0.25,) * 3,
                      gallery="cifar10")
"""
