"""Weights from a file, safely: safetensors, or ``torch.load(weights_only=True)``, which runs no code from the file."""

from __future__ import annotations

import pickle
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.serialization import safe_globals

from explorer.classifiers.classifier import ClassifierError

Three = tuple[float, float, float]

# Under which names trainers keep the weights; where an average of them was kept too, it is what was meant to be used.
WRAPPERS = ("state_dict_ema", "model_ema", "state_dict", "model_state_dict", "model")
# What wrappers around a network put before its names: data-parallel and averaging ones, those that normalise, those that attack.
PREFIXES = ("module.", "attacker.model.", "model.")
# Where MadryLab's robustness library keeps its normalisation.
NORMALISERS = ("normalizer.new_{}", "attacker.normalize.new_{}")
_REFUSED = re.compile(r"GLOBAL (\S+)")
_reading = threading.Lock()  # what is allowed while reading is allowed in the whole process


@dataclass(frozen=True)
class Checkpoint:
    """A network's weights and, where the file has them, the mean and standard deviation its input is normalised by."""

    state: dict[str, Tensor]
    mean: Three | None = None
    std: Three | None = None


class _Number:
    """Stands in for the numpy numbers that trainers keep beside the weights: it holds nothing, so that no code of numpy is run."""

    def __init__(self, *_: object) -> None: ...

    def __setstate__(self, _: object) -> None: ...


_STAND_INS: list[Callable[..., Any] | tuple[Callable[..., Any], str]] = [
    (_Number, f"numpy.{name}")
    for name in ("dtype", "core.multiarray.scalar", "_core.multiarray.scalar")
]


def read_weights(path: str | Path) -> dict[str, Tensor]:
    """The state dict of :func:`read_checkpoint`."""
    return read_checkpoint(path).state


def read_checkpoint(path: str | Path) -> Checkpoint:
    """What is in a ``.safetensors`` file, or in any other as torch saves them, on the CPU, without the wrappers around the network.

    Raises :class:`ClassifierError` when the file is missing, truncated, not weights, or would run code when read.
    """
    path = Path(path)
    if not path.is_file():
        raise ClassifierError(f"there is no weights file {path}")
    try:
        loaded = load_file(path) if path.suffix == ".safetensors" else _torch_load(path)
    except SafetensorError as error:
        raise ClassifierError(
            f"{path} is not a readable safetensors file (truncated?): {error}"
        ) from None
    except pickle.UnpicklingError as error:
        refused = _REFUSED.search(str(error))
        raise ClassifierError(
            f"{path} holds more than weights{f' ({refused[1]})' if refused else ''}, or is no weights file; reading it could run code, so "
            "it was not read. Save it again as a plain state dict or as safetensors, on a machine where you trust it"
        ) from None
    except (
        OSError,
        RuntimeError,
        EOFError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
    ) as error:
        raise ClassifierError(
            f"{path} is not a readable weights file (truncated?): {_first_line(error)}"
        ) from None
    return _unwrapped(_plain_state(loaded, path), path)


def _torch_load(path: Path) -> object:
    with _reading, safe_globals(_STAND_INS):
        return torch.load(path, map_location="cpu", weights_only=True)


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0] or type(error).__name__


def _plain_state(loaded: object, path: Path) -> dict[str, Tensor]:
    while isinstance(loaded, Mapping) and (
        key := next((k for k in WRAPPERS if isinstance(loaded.get(k), Mapping)), None)
    ):
        loaded = loaded[key]
    if (
        not isinstance(loaded, Mapping)
        or not loaded
        or not all(isinstance(v, Tensor) for v in loaded.values())
    ):
        raise ClassifierError(f"{path} holds no state dict: it must map names to tensors")
    return {str(name): value for name, value in loaded.items()}


def _unwrapped(state: dict[str, Tensor], path: Path) -> Checkpoint:
    """The network alone, once: an attacking wrapper holds it twice."""
    state = _without_prefix({name: value for name, value in state.items() if name != "n_averaged"})
    mean, std = (_three(state, what, path) for what in ("mean", "std"))
    own = {
        name: value
        for name, value in state.items()
        if name not in {each.format(w) for each in NORMALISERS for w in ("mean", "std")}
    }
    once = {name: value for name, value in own.items() if not name.startswith("attacker.")}
    return Checkpoint(_without_prefix(once or own), mean, std)


def _without_prefix(state: dict[str, Tensor]) -> dict[str, Tensor]:
    while prefix := next(
        (each for each in PREFIXES if state and all(name.startswith(each) for name in state)), None
    ):
        state = {name.removeprefix(prefix): value for name, value in state.items()}
    return state


def _three(state: dict[str, Tensor], what: str, path: Path) -> Three | None:
    found = next(
        (state[name] for each in NORMALISERS if (name := each.format(what)) in state), None
    )
    if found is None:
        return None
    if found.numel() != 3:
        raise ClassifierError(
            f"{path} normalises by {found.numel()} values of {what}; there must be three, one per colour"
        )
    red, green, blue = found.flatten().tolist()
    return red, green, blue


def load_weights(module: nn.Module, state: dict[str, Tensor], what: str) -> None:
    """Load ``state`` into ``module``, as float32. Raises :class:`ClassifierError` naming ``what`` when they don't fit."""
    own = module.state_dict()
    missing = [
        name for name in own if name not in state and not name.endswith("num_batches_tracked")
    ]
    surplus = [name for name in state if name not in own]
    shapes = [name for name in own if name in state and own[name].shape != state[name].shape]
    problems = [
        f"{what_is_wrong} ({len(names)}, such as {names[0]})"
        for names, what_is_wrong in (
            (missing, "tensors are missing"),
            (surplus, "tensors it does not know"),
            (shapes, "tensors of another shape"),
        )
        if names
    ]
    if problems:
        raise ClassifierError(f"the weights do not fit {what}: {'; '.join(problems)}")
    broken = [
        name
        for name, value in state.items()
        if value.is_floating_point() and not bool(torch.isfinite(value).all())
    ]
    if broken:
        raise ClassifierError(
            f"the weights for {what} hold values that are not finite, such as in {broken[0]}"
        )
    module.load_state_dict(
        {k: v.float() if v.is_floating_point() else v for k, v in state.items()}, strict=False
    )
