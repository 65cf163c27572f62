"""``FILE.py:FUNCTION`` of the networks in ``nets.py``, as a person would name them."""

from __future__ import annotations

from explorer.classifiers import Classifier, load
from tests.experiments.trust.nets import Dropping, Rounded, Softmaxed, wrapped


def rounded() -> Classifier:
    return wrapped(load("cifar10-standard"), Rounded)


def dropping() -> Classifier:
    return wrapped(load("cifar10-standard"), Dropping)


def softmaxed() -> Classifier:
    return wrapped(load("cifar10-standard"), Softmaxed)
