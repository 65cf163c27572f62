"""Logits and input gradients, fast. The engine knows no attack.

:func:`gradient_model` gives the quickest form of a classifier, a :class:`GradientModel`;
:func:`map_chunks` evaluates it at a batch, in chunks that fit the memory and by several threads.
"""

from explorer.engine.batching import (
    bytes_per_sample,
    chunk_size,
    logits_of,
    map_chunks,
)
from explorer.engine.convolution import packed_product
from explorer.engine.gradient_model import VJP, GradientModel, NoGradientError
from explorer.engine.precision import PRECISIONS, gradient_model

__all__ = [
    "PRECISIONS",
    "VJP",
    "GradientModel",
    "NoGradientError",
    "bytes_per_sample",
    "chunk_size",
    "gradient_model",
    "logits_of",
    "map_chunks",
    "packed_product",
]
