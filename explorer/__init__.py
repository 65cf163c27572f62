"""The Adversarial Explorer: attack images live, and see which features classifiers learn."""

__version__ = "0.1.0"
