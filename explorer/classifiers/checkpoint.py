"""Weights from a file, read without running any code that the file contains.

Files from anywhere are read by :mod:`explorer.classifiers.isolated`, which limits time and memory.
"""

from __future__ import annotations

import io
import pickle
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import torch
from safetensors.torch import load_file
from torch import Tensor

from explorer.classifiers import restricted_pickle
from explorer.classifiers.error import ClassifierError
from explorer.classifiers.readable import first_bytes
from explorer.classifiers.restricted_pickle import HarmfulName
from explorer.classifiers.state_dict import find_state_dict, without_prefix
from explorer.classifiers.weights_format import refuse_programs, weights_format
from explorer.errors import is_out_of_memory, short

# Where wrappers store mean and standard deviation: MadryLab's robustness library, RobustBench's
# networks and Sequential(Normalize(mean, std), network).
NORMALISERS = (
    *(
        (f"{owner}.{mean}", f"{owner}.{std}")
        for owner in ("normalizer", "attacker.normalize", "normalize", "normalization", "norm", "0")
        for mean, std in (("new_mean", "new_std"), ("mean", "std"))
    ),
    ("mean", "std"),
    ("mu", "sigma"),
)
_NO_PICKLE_OF_TORCH = "Invalid magic number"
_WITHOUT_WORDS = (LookupError, EOFError, struct.error)  # of Python's unpickler, such as "35"
_MAX_HEADER = 4 * 2**20  # bytes of a safetensors file; that of the largest network has 150,000


@dataclass(frozen=True)
class Checkpoint:
    """A network's weights, with the normalisation of its input if the file has one."""

    state: dict[str, Tensor]
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None


def read_checkpoint(path: str | Path, name: str = "") -> Checkpoint:
    """The network in a file that safetensors or torch wrote, on the CPU.

    What training programs and wrappers put around the network is taken off. Messages call the file
    ``name``, by default its path. Raises :class:`ClassifierError` when the file is missing, is
    truncated or holds no weights.
    """
    path, name = Path(path), name or str(path)
    if weights_format(path, name) == "safetensors":
        content: object = load_safetensors(path, name)
    else:
        content = _load_pickled(path, name)
    state = find_state_dict(content, name)
    total, most = sum(tensor.nbytes for tensor in state.values()), most_bytes(path.stat().st_size)
    if total > most:
        raise ClassifierError(
            f"{name} holds tensors that repeat the same numbers up to {total / 2**20:.0f} MiB; "
            "save the weights again as plain tensors"
        )
    return _without_normalisation(state, name)


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
        _raise_unreadable(name, "safetensors", error)


def _raise_unreadable(name: str, kind: str, error: Exception) -> NoReturn:
    """Raise the sentence for a damaged file; ``error`` itself if memory was short."""
    if is_out_of_memory(error):
        raise error
    reason = short(str(error).partition("\n")[0])
    if not reason or isinstance(error, _WITHOUT_WORDS):
        reason = "it ends early, or bytes of it were changed"
    elif _NO_PICKLE_OF_TORCH in reason:
        raise ClassifierError(
            f"{name} is a pickle that torch did not write; give a state dict that torch or "
            "safetensors wrote"
        ) from None
    raise ClassifierError(
        f"{name} is not a readable {kind} file (truncated?): {reason.rstrip('.')}"
    ) from None


class _WithoutDescriptor(io.FileIO):
    """A file for which torch does not try its oldest format, a tar archive that it unpacks."""

    def fileno(self) -> int:
        raise io.UnsupportedOperation("fileno")


def _load_pickled(path: Path, name: str) -> object:
    try:
        with io.BufferedReader(_WithoutDescriptor(path)) as file:
            refuse_programs(file, name)
            # Not weights_only=True, which refuses every file with more than weights in it; this
            # unpickler calls nothing of the file's either.
            return torch.load(
                file,
                map_location="cpu",
                pickle_module=restricted_pickle,
                weights_only=False,
                encoding="latin1",
            )
    except ClassifierError:
        raise
    except HarmfulName as error:
        raise ClassifierError(
            f"{name} names {short(str(error))}, with which a file runs programs and which no "
            "weights need; it was not read. Get the weights from a source that you trust"
        ) from None
    except pickle.UnpicklingError as error:
        reason = short(str(error).partition("\n")[0])
        raise ClassifierError(
            f"{name} is no weights file that torch wrote, or is damaged: {reason}. Save it again "
            "with torch.save(model.state_dict(), 'weights.pth') or as safetensors"
        ) from None
    except Exception as error:  # torch's reader fails in many ways on damaged files
        _raise_unreadable(name, "weights", error)


def _without_normalisation(state: dict[str, Tensor], file: str) -> Checkpoint:
    """The network alone, and once: an attacking wrapper holds it twice."""
    pairs = [pair for pair in NORMALISERS if all(name in state for name in pair)]
    normalisers = {name for pair in pairs for name in pair}
    network = {name: value for name, value in state.items() if name not in normalisers}
    first = next((value for value in network.values() if value.dim() == 4), None)
    channels = 1 if first is not None and first.shape[1] == 1 else 3
    mean = _colours(state[pairs[0][0]], channels, "mean", file) if pairs else None
    std = _colours(state[pairs[0][1]], channels, "std", file) if pairs else None
    once = {name: value for name, value in network.items() if not name.startswith("attacker.")}
    return Checkpoint(without_prefix(once or network), mean, std)


def _colours(tensor: Tensor, channels: int, which: str, file: str) -> tuple[float, ...]:
    """One number for each channel: a single one is for all of them."""
    if tensor.numel() not in (1, channels):
        raise ClassifierError(
            f"{file} normalises by {tensor.numel()} values of {which}; there must be one, or "
            f"{channels}, one for each channel"
        )
    return tuple(map(float, tensor.flatten().expand(channels).tolist()))
