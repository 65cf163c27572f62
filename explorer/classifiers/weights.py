"""Weights from a file, safely: safetensors, or ``torch.load(weights_only=True)``, which runs no code from the file."""

from __future__ import annotations

import pickle
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from explorer.classifiers.classifier import ClassifierError

WRAPPERS = ("state_dict", "model_state_dict", "model")
PREFIX = "module."


def read_weights(path: str | Path) -> dict[str, Tensor]:
    """The state dict in a ``.safetensors``, ``.pth`` or ``.pt`` file, on the CPU.

    Raises :class:`ClassifierError` when the file is missing, truncated, not weights, or would run code when read.
    """
    path = Path(path)
    if not path.is_file():
        raise ClassifierError(f"there is no weights file {path}")
    try:
        if path.suffix == ".safetensors":
            return dict(load_file(path))
        state = torch.load(path, map_location="cpu", weights_only=True)
    except SafetensorError as error:
        raise ClassifierError(f"{path} is not a readable safetensors file (truncated?): {error}") from None
    except pickle.UnpicklingError:
        raise ClassifierError(
            f"{path} holds more than weights, or is no weights file; reading it could run code, so it was not read. "
            "Save it again as a plain state dict or as safetensors"
        ) from None
    except (OSError, RuntimeError, EOFError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ClassifierError(f"{path} is not a readable weights file (truncated?): {_first_line(error)}") from None
    return _plain_state(state, path)


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0] or type(error).__name__


def _plain_state(state: object, path: Path) -> dict[str, Tensor]:
    for key in WRAPPERS:
        if isinstance(state, dict) and isinstance(state.get(key), dict):
            state = state[key]
    if not isinstance(state, dict) or not state or not all(isinstance(v, Tensor) for v in state.values()):
        raise ClassifierError(f"{path} holds no state dict: it must map names to tensors")
    if all(str(key).startswith(PREFIX) for key in state):  # saved from a data-parallel wrapper
        state = {str(key).removeprefix(PREFIX): value for key, value in state.items()}
    return {str(key): value for key, value in state.items()}


def put_weights(module: nn.Module, state: dict[str, Tensor], what: str) -> None:
    """Load ``state`` into ``module``, as float32. Raises :class:`ClassifierError` naming ``what`` when they don't fit."""
    own = module.state_dict()
    missing = [name for name in own if name not in state and not name.endswith("num_batches_tracked")]
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
    broken = [name for name, value in state.items() if value.is_floating_point() and not bool(torch.isfinite(value).all())]
    if broken:
        raise ClassifierError(f"the weights for {what} hold values that are not finite, such as in {broken[0]}")
    module.load_state_dict({k: v.float() if v.is_floating_point() else v for k, v in state.items()}, strict=False)
