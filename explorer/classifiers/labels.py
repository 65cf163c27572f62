"""Class names from a file somebody brings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from explorer.classifiers.classifier import ClassifierError


def parse_labels(text: str) -> tuple[str, ...]:
    """Class names in order from a text file with one a line, or from JSON: a list of names, an object from index to name, or to a
    list that ends with the name (as ImageNet's class index has it). Raises :class:`ClassifierError`."""
    try:
        found: Any = json.loads(text)
    except ValueError:
        found = [line.strip() for line in text.splitlines() if line.strip()]
    if isinstance(found, Mapping):
        found = _by_index(found)
    if not isinstance(found, list) or not all(isinstance(name, str) and name.strip() for name in found):
        raise ClassifierError("the labels must be a list of names: one a line, or JSON such as [\"cat\", \"dog\"] or {\"0\": \"cat\"}")
    if len(found) < 2:
        raise ClassifierError(f"a classifier needs at least two labels; the file has {len(found)}")
    return tuple(name.strip() for name in found)


def _by_index(found: Mapping[str, Any]) -> list[Any]:
    try:
        indices = {int(key): value for key, value in found.items()}
    except ValueError:
        raise ClassifierError("the labels' JSON must map an index to each name, such as {\"0\": \"cat\", \"1\": \"dog\"}") from None
    if sorted(indices) != list(range(len(indices))):
        raise ClassifierError(f"the labels' indices must be 0 to {len(indices) - 1}, each once")
    return [value[-1] if isinstance(value, list) and value else value for _, value in sorted(indices.items())]
