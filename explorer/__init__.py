"""The Adversarial Explorer: attack images live, and see which features a classifier has learned."""

__version__ = "0.1.0"
