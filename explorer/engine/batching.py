"""How many samples are looked at at once: what fits the memory that is free, as measured, and on a CPU what it takes most quickly.

Only looking is done in pieces; the walk, what is recorded and what is reported stay those of the whole batch, and so does every sample's
result.
"""

from __future__ import annotations

import weakref

import torch
from torch import Tensor

from explorer.classifiers import Classifier
from explorer.system import free_memory

# Bytes a batch keeps that a CPU takes best. Beyond, activations fall out of its caches and every step waits for fresh pages: SqueezeNet's
# gradient takes 8.1 ms per image in batches of 16, 10.2 in batches of 32; a bundled classifier's 1.9 in 128, 2.3 in 784.
QUICKEST_ON_CPU = 128 * 2**20
LEAST = 8  # float32 convolutions give a sample the same bits in every batch of at least so many
UNMEASURED = (
    64 * 3 * 32 * 32,
    LEAST * 3 * 224 * 224,
)  # values in a batch, and in one of LEAST, not worth measuring
SHARE = 0.5  # of what is free
TRANSIENT = 2.0  # what a look takes at its height, over what it keeps for the way back

_kept: weakref.WeakKeyDictionary[Classifier, dict[torch.Size, int]] = weakref.WeakKeyDictionary()


def samples_at_once(classifier: Classifier, images: Tensor) -> int:
    """How many of ``images`` [N, 3, H, W] to ask ``classifier`` about at once, with the gradient; at least 1, at most N."""
    n = len(images)
    if n == 1 or images.numel() <= UNMEASURED[n <= LEAST]:
        return n
    each = max(1, bytes_per_sample(classifier, images))
    quick = max(LEAST, QUICKEST_ON_CPU // each) if images.device.type == "cpu" else n
    fits = int(SHARE * _free(images.device) / (TRANSIENT * each))
    pieces = -(-n // max(1, min(n, quick, fits)))
    return -(-n // pieces)  # pieces of one size: a small rest would go through other kernels


def bytes_per_sample(classifier: Classifier, images: Tensor) -> int:
    """Bytes of activations kept for one more sample like ``images`` [N, 3, H, W], N ≥ 2: measured, once per classifier and size."""
    known = _kept.setdefault(classifier, {})
    size = images.shape[1:]
    if size not in known:
        known[size] = _bytes_kept(classifier, images[:2]) - _bytes_kept(classifier, images[:1])
    return known[size]


def logits_of(classifier: Classifier, images: Tensor) -> Tensor:
    """Logits float32 [N, C], without the gradient."""
    with torch.no_grad():
        return torch.cat(
            [classifier(piece) for piece in images.split(samples_at_once(classifier, images))]
        )


def _bytes_kept(classifier: Classifier, images: Tensor) -> int:
    """Bytes that autograd keeps between the way forward and the way back, each memory block counted once."""
    blocks: dict[int, int] = {}
    held = []  # a block that was let go could come again under the same address

    def note(tensor: Tensor) -> Tensor:
        if not tensor.is_mkldnn and tensor.layout == torch.strided:
            storage = tensor.untyped_storage()
            held.append(storage)
            blocks[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.enable_grad(), torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        classifier(images.detach().requires_grad_(True))
    return sum(blocks.values())


def _free(device: torch.device) -> int:
    """Bytes free on ``device``, with what torch holds there without using it."""
    cached = (
        torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        if device.type == "cuda"
        else 0
    )
    return free_memory(device) + cached
