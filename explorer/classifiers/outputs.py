"""What a network returns, as logits: the tensor in a tuple or dictionary, or logarithms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from explorer.classifiers.error import ClassifierError

LOGITS, PROBABILITIES = "logits", "probabilities"
OUTPUTS = (LOGITS, PROBABILITIES)
_SMALLEST = torch.finfo(torch.float32).tiny  # its logarithm is −87, and its reciprocal is finite
_MOST_NAMED = 6  # values of an output in a message
_KEY = "logits"


def logits_in(output: Any, count: int, classes: int, owner: str) -> Tensor:
    """The tensor [count, classes] in what a network returned for ``count`` images.

    A dictionary or an object may name it ``logits``, as transformers' outputs do; the first of a
    tuple is it, as auxiliary logits come after it; otherwise it must be the only value of that
    shape. Raises :class:`ClassifierError`, which lists what ``owner`` returned.
    """
    if isinstance(output, Tensor):
        if (logits := _as_rows(output, classes)) is not None:
            return logits
    else:
        values = dict(_values(output))
        fitting = {
            name: logits
            for name, value in values.items()
            if (logits := _as_rows(value, classes)) is not None and len(logits) == count
        }
        if _KEY in fitting:
            return fitting[_KEY]
        if isinstance(output, tuple) and next(iter(values), None) in fitting:
            return next(iter(fitting.values()))
        if len(fitting) == 1:
            return next(iter(fitting.values()))
        if len(fitting) > 1:
            raise ClassifierError(
                f"{owner} returned {_described(output)} for {count} images, and each of "
                f"{', '.join(fitting)} could be the logits; return those alone, or name them "
                f"{_KEY!r}"
            )
    raise ClassifierError(
        f"{owner} returned {_described(output)} for {count} images; its {classes} labels need "
        f"[{count}, {classes}]"
    )


def log_probabilities(probabilities: Tensor) -> Tensor:
    """Their logarithms in float32: logits with the same softmax, but for a constant.

    A probability that is too small for float32 counts as 1e-38 and has no gradient.
    """
    return probabilities.float().clamp(min=_SMALLEST).log()


def are_probabilities(outputs: Tensor, dtype: torch.dtype = torch.float32) -> bool:
    """Whether each row of ``outputs`` [N, C], computed in ``dtype``, is in [0, 1] and sums to 1."""
    error = max(1e-4, 2 * torch.finfo(dtype).eps)
    in_range = (outputs >= 0) & (outputs <= 1 + error)
    return bool(in_range.all() & ((outputs.double().sum(dim=1) - 1).abs() <= error).all())


def _as_rows(value: Any, classes: int) -> Tensor | None:
    """``value`` as [N, classes], where it is that but for axes of length 1."""
    if not isinstance(value, Tensor) or value.dim() < 2 or value.shape[1] != classes:
        return None
    if value.dim() == 2:
        return value
    return value.flatten(1) if all(length == 1 for length in value.shape[2:]) else None


def _values(output: Any) -> Iterator[tuple[str, Any]]:
    """The values of a dictionary, a sequence or an object, each with its name."""
    if isinstance(output, Mapping):
        yield from ((str(key), value) for key, value in output.items())
    elif isinstance(output, Sequence) and not isinstance(output, str | bytes):
        names = getattr(output, "_fields", range(len(output)))  # of a named tuple
        yield from ((str(name), value) for name, value in zip(names, output, strict=True))
    elif hasattr(output, "__dict__"):
        yield from vars(output).items()


def _described(output: Any) -> str:
    """``[5, 10]``, or ``dict with loss [] and scores [5, 9]``."""
    if isinstance(output, Tensor):
        return str(list(output.shape))
    parts = [
        f"{name} {list(value.shape) if isinstance(value, Tensor) else type(value).__name__}"
        for name, value in _values(output)
    ]
    more = "" if len(parts) <= _MOST_NAMED else f" and {len(parts) - _MOST_NAMED} more"
    kind = type(output).__name__
    return f"{kind} with {', '.join(parts[:_MOST_NAMED])}{more}" if parts else kind
