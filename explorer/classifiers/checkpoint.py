"""Weights from a file, read without running any code that the file contains.

That is safetensors, or ``torch.load(weights_only=True)`` for every other file. Files from anywhere
are read by :mod:`explorer.classifiers.isolated`, which limits time and memory.
"""

from __future__ import annotations

import pickle
import re
import struct
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.serialization import safe_globals

from explorer.classifiers.classifier import RGB
from explorer.classifiers.error import ClassifierError
from explorer.classifiers.readable import first_bytes
from explorer.errors import is_out_of_memory, short

# The keys under which training programs store the weights. A moving average comes first: where a
# file has one, it is the network that was meant to be used.
STATE_KEYS = ("state_dict_ema", "model_ema", "state_dict", "model_state_dict", "model")
# What data-parallel, averaging, normalising and attacking wrappers put before a network's names.
PREFIXES = ("module.", "attacker.model.", "model.")
# Where MadryLab's robustness library stores its normalisation.
NORMALISERS = ("normalizer.new_{}", "attacker.normalize.new_{}")
_PICTURE = "a picture, not weights; give a state dict that torch or safetensors wrote"
_WEB_PAGE = "a web page, not weights; download the file that the page links to"
# What a file is that starts so, and is no weights file.
_OTHER_FILES = {
    b"\x89PNG": _PICTURE,
    b"\xff\xd8\xff": _PICTURE,
    b"GIF8": _PICTURE,
    b"RIFF": _PICTURE,
    b"<!doctype": _WEB_PAGE,
    b"<html": _WEB_PAGE,
    b"version https://git-lfs": "a Git LFS pointer, not weights; fetch it with git lfs pull",
}
SAFETENSORS = ".safetensors"
MAX_NESTING = 8  # of such keys
MAX_TENSORS = 20_000  # the largest of torchvision's networks has 1,500
_MAX_HEADER = 4 * 2**20  # bytes of a safetensors file; the same network's has 150,000
_MAX_NAME = 500  # characters of a tensor's name
_REFUSED = re.compile(r"GLOBAL (\S+)")
_READING = threading.Lock()  # torch's safe globals are those of the whole process


@dataclass(frozen=True)
class Checkpoint:
    """A network's weights, with the normalisation of its input if the file has one."""

    state: dict[str, Tensor]
    mean: RGB | None = None
    std: RGB | None = None


class _Number:
    """Stands in for the numpy numbers beside the weights. It is empty, so no numpy code is run."""

    def __init__(self, *_: object) -> None: ...

    def __setstate__(self, _: object) -> None: ...


_STAND_INS: list[Callable[..., Any] | tuple[Callable[..., Any], str]] = [
    (_Number, f"numpy.{name}")
    for name in ("dtype", "core.multiarray.scalar", "_core.multiarray.scalar")
]


def read_checkpoint(path: str | Path, name: str = "") -> Checkpoint:
    """The network in a ``.safetensors`` file or in one that torch wrote, on the CPU.

    What training programs and wrappers put around the network is taken off. Messages call the file
    ``name``, by default its path. Raises :class:`ClassifierError` when the file is missing, is
    truncated, holds no weights, or would run code when it is read.
    """
    path, name = Path(path), name or str(path)
    _refuse_other_files(name, first_bytes(path, "weights file"))
    if path.suffix == SAFETENSORS:
        content: object = load_safetensors(path, name)
    else:
        content = _load_pickled(path, name)
    state = _state_dict(content, name)
    total, most = sum(tensor.nbytes for tensor in state.values()), most_bytes(path.stat().st_size)
    if total > most:
        raise ClassifierError(
            f"{name} holds tensors that repeat the same numbers up to {total / 2**20:.0f} MiB; "
            "save the weights again as plain tensors"
        )
    return _without_wrappers(state, name)


def most_bytes(size: int) -> int:
    """The most that the tensors of a file of ``size`` bytes may take; tied weights count twice."""
    return 4 * size + 2**20


def load_safetensors(path: Path, name: str = "") -> dict[str, Tensor]:
    """The tensors in a safetensors file. Raises :class:`ClassifierError`."""
    name = name or str(path)
    start = first_bytes(path, "weights file", 8)
    header = struct.unpack("<Q", start)[0] if len(start) == 8 else 0
    size = path.stat().st_size
    if _MAX_HEADER < header <= size:
        raise ClassifierError(
            f"{name} describes its tensors in {header / 2**20:.0f} MiB, far more than any network "
            "needs; save the weights again as plain tensors"
        )
    try:
        return load_file(path)
    except Exception as error:
        raise _unreadable(name, "safetensors", error) from None


def _unreadable(name: str, kind: str, error: Exception) -> Exception:
    """The sentence for a damaged file; ``error`` itself if memory was short."""
    if is_out_of_memory(error):
        return error
    reason = short(str(error).partition("\n")[0] or type(error).__name__)
    return ClassifierError(f"{name} is not a readable {kind} file (truncated?): {reason}")


def _refuse_other_files(name: str, start: bytes) -> None:
    start = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    for signature, kind in _OTHER_FILES.items():
        if start[: len(signature)] in (signature, signature.upper()):
            raise ClassifierError(f"{name} is {kind}")


def _load_pickled(path: Path, name: str) -> object:
    try:
        with _READING, safe_globals(_STAND_INS):
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        refused = _REFUSED.search(str(error))
        raise ClassifierError(
            f"{name} holds more than weights{f' ({short(refused[1])})' if refused else ''}, or is "
            "no weights file; reading it could run code, so it was not read. Save it again as a "
            "plain state dict or as safetensors, on a machine where you trust it"
        ) from None
    except Exception as error:  # torch's reader fails in many ways on damaged files
        raise _unreadable(name, "weights", error) from None


def _state_dict(content: object, file: str) -> dict[str, Tensor]:
    """The mapping from names to tensors in what was read, below the keys of training programs."""
    for _ in range(MAX_NESTING):  # a saved dictionary can hold itself
        if not isinstance(content, Mapping):
            break
        inner = (content[key] for key in STATE_KEYS if isinstance(content.get(key), Mapping))
        content = next(inner, content)
    if (
        not isinstance(content, Mapping)
        or not content
        or not all(isinstance(value, Tensor) for value in content.values())
    ):
        raise ClassifierError(f"{file} holds no state dict: it must map names to tensors")
    if len(content) > MAX_TENSORS:
        raise ClassifierError(
            f"{file} holds {len(content):,} tensors; at most {MAX_TENSORS:,} are read"
        )
    state = {str(name): value for name, value in content.items()}
    for name, value in state.items():
        if len(name) > _MAX_NAME or not name.isprintable():
            raise ClassifierError(f"{file} holds a tensor whose name is no name: {short(name)}")
        if kind := _unusual(value):
            raise ClassifierError(
                f"{file} holds {kind} tensors, such as {short(name)}; save the weights again as "
                "plain tensors"
            )
    return state


def _unusual(tensor: Tensor) -> str:
    """What keeps ``tensor`` from being a network's weight; empty if nothing does."""
    kinds = {
        "empty (meta)": tensor.is_meta,
        "nested": tensor.is_nested,
        "sparse": tensor.layout != torch.strided,
        "quantised": tensor.is_quantized,
        "complex": tensor.is_complex(),
    }
    return next((kind for kind, holds in kinds.items() if holds), "")


def _without_wrappers(state: dict[str, Tensor], file: str) -> Checkpoint:
    """The network alone, and once: an attacking wrapper holds it twice."""
    state = _without_prefix({name: value for name, value in state.items() if name != "n_averaged"})
    mean, std = (_normalisation(state, which, file) for which in ("mean", "std"))
    normalisers = {pattern.format(which) for pattern in NORMALISERS for which in ("mean", "std")}
    network = {name: value for name, value in state.items() if name not in normalisers}
    once = {name: value for name, value in network.items() if not name.startswith("attacker.")}
    return Checkpoint(_without_prefix(once or network), mean, std)


def _without_prefix(state: dict[str, Tensor]) -> dict[str, Tensor]:
    while prefix := next(
        (each for each in PREFIXES if state and all(name.startswith(each) for name in state)), None
    ):
        state = {name.removeprefix(prefix): value for name, value in state.items()}
    return state


def _normalisation(state: dict[str, Tensor], which: str, file: str) -> RGB | None:
    """The "mean" or "std" among the tensors; None if there is no such tensor."""
    names = (pattern.format(which) for pattern in NORMALISERS)
    tensor = next((state[name] for name in names if name in state), None)
    if tensor is None:
        return None
    if tensor.numel() != 3:
        raise ClassifierError(
            f"{file} normalises by {tensor.numel()} values of {which}; there must be three, one "
            "per colour"
        )
    red, green, blue = tensor.flatten().tolist()
    return red, green, blue


def load_weights(module: nn.Module, state: dict[str, Tensor], owner: str) -> None:
    """Load ``state`` into ``module``, as float32.

    Raises :class:`ClassifierError`, naming the ``owner`` of the weights, when they don't fit or are
    not finite.
    """
    expected = module.state_dict()
    missing = [
        name for name in expected if name not in state and not name.endswith("num_batches_tracked")
    ]
    surplus = [name for name in state if name not in expected]
    shapes = [
        name
        for name, value in expected.items()
        if name in state and value.shape != state[name].shape
    ]
    problems = [
        f"{problem} ({len(names)}, such as {short(names[0])})"
        for names, problem in (
            (missing, "tensors are missing"),
            (surplus, "tensors it does not know"),
            (shapes, "tensors of another shape"),
        )
        if names
    ]
    if problems:
        raise ClassifierError(f"the weights do not fit {owner}: {'; '.join(problems)}")
    state = {name: v.float() if v.is_floating_point() else v for name, v in state.items()}
    for name, value in state.items():
        if value.is_floating_point() and not bool(torch.isfinite(value).all()):
            raise ClassifierError(
                f"the weights for {owner} hold values that are not finite, such as in {short(name)}"
            )
    module.load_state_dict(state, strict=False)
