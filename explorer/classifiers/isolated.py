"""Weights from a file that nobody vouches for, read in a process of its own.

That process writes what it has read as safetensors, a format that holds nothing but numbers, and
this one maps the file into memory. The numbers are those of
:func:`explorer.classifiers.checkpoint.read_checkpoint`.
"""

from __future__ import annotations

import tempfile
from operator import itemgetter
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from explorer.classifiers.checkpoint import (
    Checkpoint,
    load_safetensors,
    most_bytes,
    read_checkpoint,
)
from explorer.classifiers.error import ClassifierError
from explorer.classifiers.weights_format import SAFETENSORS, weights_format
from explorer.files import disk_error
from explorer.leftovers import temporary_folder
from explorer.sandbox import Limits, Message, Pool, ReadingFailed, Refused
from explorer.sandbox.process import Cancel

_POOL = Pool(f"{__name__}:handle", size=2)  # a process takes 200 MB for torch
_SECONDS, _BYTES_PER_SECOND = 2.0, 50e6  # a tenth of the speed of two cores
_MEMORY, _COPIES = 500 * 2**20, 2  # beside and of the file
_REPLY = 4096
_ORDER = " "  # between a tensor's place and its name
_FAILURES = {
    "time": "takes too long to read",
    "memory": "takes too much memory to read",
    "crash": "can't be read: reading it ends the process",
}


def warm() -> None:
    """Start the process in the background: it needs two seconds to import torch."""
    _POOL.warm()


def read_weights_file(path: str | Path) -> Checkpoint:
    """The network in a file that a person at this machine named.

    Only formats that can hold more than numbers are read in a process of their own: a command need
    not wait until it has started. Raises :class:`ClassifierError`.
    """
    path = Path(path)
    if weights_format(path, str(path)) == "safetensors":
        return read_checkpoint(path)
    return read_isolated(path)


def read_isolated(path: str | Path, cancelled: Cancel | None = None) -> Checkpoint:
    """The network in a file that a visitor brought.

    Raises :class:`ClassifierError`, also for a file that took too long or too much memory, and
    :class:`~explorer.errors.Cancelled` when ``cancelled()`` returned true.
    """
    path = Path(path)
    weights_format(path, str(path))  # says what is wrong with the file before anything starts
    size = path.stat().st_size
    limits = Limits(
        seconds=_SECONDS + size / _BYTES_PER_SECOND,
        memory=_MEMORY + _COPIES * size,
        reply=_REPLY,
        written=most_bytes(size) + 2**23,
    )
    try:
        with temporary_folder(Path(tempfile.gettempdir())) as folder:
            result = folder / f"weights{SAFETENSORS}"
            request = Message({"path": str(path.absolute()), "name": str(path), "to": str(result)})
            return _verified(_POOL.ask(request, limits, cancelled), result, str(path))
    except Refused as error:
        raise ClassifierError(str(error)) from None
    except ReadingFailed as error:
        raise ClassifierError(
            f"{path} {_FAILURES[error.reason]}; save it again as a plain state dict or as "
            "safetensors"
        ) from None
    except OSError as error:
        raise disk_error(Path(tempfile.gettempdir()), error, "Nothing was read") from None


def handle(request: Message) -> Message:
    """Write the network as safetensors to the file that the request names."""
    torch.set_num_threads(1)
    path, name, to = (request.values[key] for key in ("path", "name", "to"))
    checkpoint = read_checkpoint(path, name)
    try:
        save_file(_separate(checkpoint.state), to)
    except OSError as error:
        raise disk_error(Path(to).parent, error, "Nothing was read") from None
    return Message({"mean": checkpoint.mean, "std": checkpoint.std})


def _separate(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors as safetensors takes them: contiguous, and none within another's memory.

    Their names begin with their place, since safetensors keeps no order.
    """
    separate: dict[str, Tensor] = {}
    memories: set[int] = set()
    for name, tensor in state.items():
        memory = tensor.untyped_storage().data_ptr()
        if memory in memories or not tensor.is_contiguous():
            tensor = tensor.clone(memory_format=torch.contiguous_format)
        memories.add(memory)
        separate[f"{len(separate)}{_ORDER}{name}"] = tensor.detach()
    return separate


def _verified(reply: Message, result: Path, name: str) -> Checkpoint:
    """What the process wrote, which its file may have taken over."""
    try:
        numbered = [
            (int(place), key, tensor)
            for (place, _, key), tensor in (
                (written.partition(_ORDER), tensor)
                for written, tensor in load_safetensors(result, name).items()
            )
        ]
    except ValueError:
        raise _crash(name) from None
    state = {key: tensor for _, key, tensor in sorted(numbered, key=itemgetter(0))}
    mean, std = (_colours(reply.values.get(which), name) for which in ("mean", "std"))
    return Checkpoint(state, mean, std)


def _colours(values: Any, name: str) -> tuple[float, ...] | None:
    if values is None:
        return None
    try:
        colours = tuple(float(value) for value in values)
    except (TypeError, ValueError):
        raise _crash(name) from None
    if len(colours) not in (1, 3):
        raise _crash(name)
    return colours


def _crash(name: str) -> ClassifierError:
    return ClassifierError(f"{name} {_FAILURES['crash']}")
