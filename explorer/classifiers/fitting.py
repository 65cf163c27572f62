"""Weights put into a network, after a check that they fit it."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from explorer.classifiers.error import ClassifierError
from explorer.errors import short

_WEIGHT = ".weight"


def load_weights(module: nn.Module, state: dict[str, Tensor], owner: str) -> None:
    """Load ``state`` into ``module``, as float32.

    Its names may have a prefix, with other tensors beside those that have it. Raises
    :class:`ClassifierError`, naming the ``owner`` of the weights, when they don't fit or are not
    finite.
    """
    expected = module.state_dict()
    state = under_prefix(state, expected)
    if problems := _problems(state, expected):
        advice = (_other_classes(state, expected) if len(problems) == 1 else "") or (
            "; use weights that were saved from this network, or name the network they are of"
        )
        raise ClassifierError(f"the weights do not fit {owner}: {'; '.join(problems)}{advice}")
    state = {name: v.float() if v.is_floating_point() else v for name, v in state.items()}
    for name, value in state.items():
        if value.is_floating_point() and not bool(torch.isfinite(value).all()):
            raise ClassifierError(
                f"the weights for {owner} hold values that are not finite, such as in "
                f"{short(name)}; save or download them again"
            )
    # Names and shapes are those of this module, and so is the version of the layout, which some
    # modules ask for and safetensors files don't have.
    versioned = OrderedDict(state)
    versioned._metadata = getattr(expected, "_metadata", {})  # type: ignore[attr-defined]
    module.load_state_dict(versioned, strict=False)


def under_prefix(state: dict[str, Tensor], expected: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The part of ``state`` whose names are those ``expected`` after one prefix, without it.

    Training programs store losses, metrics and a teacher beside the network. Where several networks
    fit, it is a moving average, else the first. ``state`` as it is where no prefix fits better.
    """
    best, most = "", sum(name in state for name in expected)
    prefixes = sorted(_prefixes(state, expected), key=lambda prefix: "ema" not in prefix)
    for prefix in prefixes:
        count = sum(prefix + name in state for name in expected)
        if count > most:
            best, most = prefix, count
    part = {
        name.removeprefix(best): value for name, value in state.items() if name.startswith(best)
    }
    return _with_expected_heads(part, expected)


def _with_expected_heads(
    state: dict[str, Tensor], expected: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """``state`` with the published name of a linear layer that has another place in its head.

    People replace the last layer by Sequential(Dropout(), Linear(…), Softmax()), or a Sequential by
    its linear layer. What else is in there has no weights, and a softmax has no place here: the
    network is to return logits.
    """
    for name, tensor in expected.items():
        if name in state or not name.endswith(_WEIGHT) or tensor.dim() != 2:
            continue
        layer = name.removesuffix(_WEIGHT)
        owner, _, place = layer.rpartition(".")
        owners = "|".join(map(re.escape, (layer, owner) if place.isdecimal() else (layer,)))
        pattern = re.compile(rf"({owners})(\.\d+)?{re.escape(_WEIGHT)}")
        others = [
            other.removesuffix(_WEIGHT)
            for other, value in state.items()
            if value.dim() == 2 and other not in expected and pattern.fullmatch(other)
        ]
        if len(others) == 1:
            state = {_renamed(key, others[0], layer): value for key, value in state.items()}
    return state


def _renamed(name: str, before: str, after: str) -> str:
    owner, _, parameter = name.rpartition(".")
    return f"{after}.{parameter}" if owner == before else name


def _prefixes(state: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> list[str]:
    """What stands before one of three expected names, in the order of the file."""
    names = list(expected)
    anchors = {names[0], names[len(names) // 2], names[-1]} if names else set()
    found = (
        name.removesuffix(anchor)
        for name in state
        for anchor in anchors
        if name.endswith(f".{anchor}")
    )
    return list(dict.fromkeys(found))


def _other_classes(state: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> str:
    """What to do about weights that differ from ``expected`` in the rows of one layer alone."""
    differing = {
        name: (state[name].shape, value.shape)
        for name, value in expected.items()
        if name in state and state[name].shape != value.shape
    }
    layers = {name.rpartition(".")[0] for name in differing}
    rows = {(own[:1], wanted[:1]) for own, wanted in differing.values()}
    others_agree = all(own[1:] == wanted[1:] for own, wanted in differing.values())
    is_matrix = any(len(own) > 1 for own, _ in differing.values())
    if not (len(layers) == len(rows) == 1 and others_agree and is_matrix):
        return ""
    (((own,), (wanted,)),) = rows
    return (
        f"; they are for {own} classes and the network has {wanted}: add them with their labels, "
        "on the Models page or by models --add, or name a function FILE.py:FUNCTION that returns a "
        "Classifier"
    )


def _problems(state: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> list[str]:
    missing = [
        name for name in expected if name not in state and not name.endswith("num_batches_tracked")
    ]
    surplus = [name for name in state if name not in expected]
    shapes = [
        name
        for name, value in expected.items()
        if name in state and value.shape != state[name].shape
    ]
    return [
        f"{problem} ({len(names)}, such as {short(names[0])})"
        for names, problem in (
            (missing, "tensors are missing"),
            (surplus, "tensors it does not know"),
            (shapes, "tensors of another shape"),
        )
        if names
    ]
