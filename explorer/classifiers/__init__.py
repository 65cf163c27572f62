"""Classifiers that take pixels and own their normalisation, and the catalogue they come from."""

from explorer.classifiers.catalogue import catalogue
from explorer.classifiers.classifier import Classifier, ClassifierError
from explorer.classifiers.entry import Entry
from explorer.classifiers.loading import load

__all__ = ["Classifier", "ClassifierError", "Entry", "catalogue", "load"]
