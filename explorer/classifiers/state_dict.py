"""A network's state dict in what a training program saved, without what is around and beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import islice

import torch
from torch import Tensor

from explorer.classifiers.error import ClassifierError
from explorer.classifiers.restricted_pickle import StandIn, entries_of
from explorer.errors import short

# The keys under which training programs store the weights. A moving average comes first: where a
# file has one, it is the network that was meant to be used.
STATE_KEYS = (
    "state_dict_ema",
    "model_ema",
    "ema_state_dict",
    "ema",
    "state_dict",
    "model_state_dict",
    "model_state",
    "model",
    "net",
    "network",
    "weights",
    "params",
)
# What data-parallel, averaging, normalising and attacking wrappers and Lightning put before a
# network's names. "1." is that of Sequential(Normalize(), network).
PREFIXES = ("module.", "attacker.model.", "model.", "net.", "network.", "backbone.", "1.")
# What torch.compile, FSDP and activation checkpointing put anywhere into them.
_WRAPPERS = re.compile(r"_orig_mod\.|_fsdp_wrapped_module\.|_checkpoint_wrapped_module\.")
MAX_NESTING = 8  # of such keys
MAX_TENSORS = 20_000  # the largest of torchvision's networks has 1,500
_MAX_NAME = 500  # characters of a tensor's name
_REBUILD = "torch._utils._rebuild_"
_UNUSUAL = {  # tensors that the unpickler does not build
    "meta_tensor_no_storage": "empty (meta)",
    "qtensor": "quantised",
    "sparse_tensor": "sparse",
    "nested_tensor": "nested",
}


def find_state_dict(content: object, file: str) -> dict[str, Tensor]:
    """The mapping from names to tensors in what was read, without prefixes that all names have.

    Numbers, settings and the like beside the tensors are left out. A whole network that was
    pickled has one too. Raises :class:`ClassifierError`, with ``file`` as the name of what was
    read, when there is none and when it holds tensors that can't be weights.
    """
    entries = _network_entries(content)
    if entries is None:
        raise ClassifierError(
            f"{file} holds no state dict, which maps names to tensors; save model.state_dict()"
        )
    if len(entries) > MAX_TENSORS:
        raise ClassifierError(
            f"{file} holds {len(entries):,} tensors; at most {MAX_TENSORS:,} are "
            "read; give the weights of one network"
        )
    for name, value in entries.items():
        if len(name) > _MAX_NAME or not name.isprintable():
            raise ClassifierError(
                f"{file} holds a tensor whose name is no name: {short(name)}; "
                "save the weights again"
            )
        if kind := _unusual(value):
            raise ClassifierError(
                f"{file} holds {kind} tensors, such as {short(name)}; save the weights again as "
                "plain tensors"
            )
    state = {name: value for name, value in entries.items() if isinstance(value, Tensor)}
    state.pop("n_averaged", None)
    return without_prefix({_WRAPPERS.sub("", name): value for name, value in state.items()})


def without_prefix(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """``state`` without the prefixes that all its names have."""
    while prefix := next(
        (each for each in PREFIXES if state and all(name.startswith(each) for name in state)), None
    ):
        state = {name.removeprefix(prefix): value for name, value in state.items()}
    return state


def _network_entries(content: object) -> dict[str, object] | None:
    """Names and tensors, as they were read, below the keys of training programs."""
    for _ in range(MAX_NESTING):  # a saved dictionary can hold itself
        entries = _entries(content)
        if entries is None:
            return None
        inner = _inner(entries)
        if inner is None:
            break
        content = inner
    if entries is None or not any(map(_is_tensor, entries.values())):
        return None
    return {str(name): value for name, value in entries.items() if _is_tensor(value)}


def _inner(entries: Mapping[object, object]) -> object:
    """What is stored under one of the keys, else the only network among the entries; or None."""
    named = (entries[key] for key in STATE_KEYS if _entries(entries.get(key)) is not None)
    if (inner := next(named, None)) is not None:
        return inner
    if any(map(_is_tensor, entries.values())):
        return None
    networks = [value for value in entries.values() if _maps_names_to_tensors(value)]
    return networks[0] if len(networks) == 1 else None


def _entries(value: object) -> Mapping[object, object] | None:
    """The entries of a dictionary or of a pickled network; else None."""
    if isinstance(value, StandIn) and isinstance(value.state, dict) and "_modules" in value.state:
        return dict(islice(_module_tensors(value, "", 0), MAX_TENSORS + 1))
    return entries_of(value)


def _module_tensors(module: object, prefix: str, depth: int) -> Iterator[tuple[str, object]]:
    """The state dict of a pickled module, from the state of the stand-ins for its parts."""
    state = module.state if isinstance(module, StandIn) else None
    if not isinstance(state, dict) or depth > 10 * MAX_NESTING:
        return
    transient = state.get("_non_persistent_buffers_set")
    left_out = transient if isinstance(transient, set) else set()
    for kind in ("_parameters", "_buffers"):
        for name, value in (entries_of(state.get(kind)) or {}).items():
            if _is_tensor(value) and name not in left_out:
                yield f"{prefix}{name}", value
    for name, part in (entries_of(state.get("_modules")) or {}).items():
        yield from _module_tensors(part, f"{prefix}{name}.", depth + 1)


def _maps_names_to_tensors(value: object) -> bool:
    entries = _entries(value)
    return bool(entries) and all(
        isinstance(name, str) and _is_tensor(tensor) for name, tensor in (entries or {}).items()
    )


def _is_tensor(value: object) -> bool:
    rebuilt = isinstance(value, StandIn) and value.name.startswith(_REBUILD)
    return rebuilt or isinstance(value, Tensor)


def _unusual(value: object) -> str:
    """What keeps a tensor from being a network's weight; empty if nothing does."""
    if isinstance(value, StandIn):
        kind = value.name.removeprefix(_REBUILD)
        return _UNUSUAL.get(kind, "unusual")
    assert isinstance(value, Tensor)
    return unusual_kind(value)


def unusual_kind(tensor: Tensor) -> str:
    """What keeps a tensor's values from being read like those of an array; empty if nothing."""
    kinds = {
        "empty (meta)": tensor.is_meta,
        "nested": tensor.is_nested,
        "quantised": tensor.is_quantized,
        "sparse": tensor.layout != torch.strided,
        "complex": tensor.is_complex(),
    }
    return next((kind for kind, holds in kinds.items() if holds), "")
