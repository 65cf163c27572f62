"""Classifiers from pixels to logits, and the catalogue of those that can be loaded by name."""

from explorer.classifiers.catalogue import catalogue
from explorer.classifiers.classifier import Classifier
from explorer.classifiers.entry import Entry
from explorer.classifiers.error import ClassifierError
from explorer.classifiers.loading import load

__all__ = ["Classifier", "ClassifierError", "Entry", "catalogue", "load"]
