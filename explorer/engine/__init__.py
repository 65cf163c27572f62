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
from explorer.engine.choice import Choice
from explorer.engine.convolution import packed_product
from explorer.engine.gradient_model import VJP, GradientModel, NoGradientError
from explorer.engine.measurement import Tuning, tune
from explorer.engine.pauses import pausing
from explorer.engine.precision import explain_precision, gradient_model
from explorer.engine.processor import Processor, processor
from explorer.engine.threads import thread_count
from explorer.engine.tuning import forget_tuning
from explorer.settings import PRECISIONS

__all__ = [
    "PRECISIONS",
    "VJP",
    "Choice",
    "GradientModel",
    "NoGradientError",
    "Processor",
    "Tuning",
    "bytes_per_sample",
    "chunk_size",
    "explain_precision",
    "forget_tuning",
    "gradient_model",
    "logits_of",
    "map_chunks",
    "packed_product",
    "pausing",
    "processor",
    "thread_count",
    "tune",
]
