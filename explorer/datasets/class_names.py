"""The classes of a data set as indices of a classifier: by name, by WordNet ID or by number."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from explorer.datasets.labelled import DataError
from explorer.errors import short

_WORDNET_ID = re.compile(r"n\d{8}")
_UNNAMED = re.compile(r"class \d+")
_IMAGENET_CLASSES = 1000


def class_indices(
    names: Sequence[str], labels: Sequence[str], source: str
) -> tuple[list[int], str | None]:
    """The index into ``labels`` of each of ``names``, each index at most once; and a note if they
    were not matched by name.

    Raises :class:`DataError` for classes that the classifier doesn't know or that could be several.
    """
    if tuple(names) == tuple(labels):
        return list(range(len(names))), None
    if not set(names) <= set(labels):
        if all(_WORDNET_ID.fullmatch(name) for name in names):
            return _by_wordnet_id(names, labels, source), None
        if all(name.isascii() and name.isdigit() for name in names):
            return _by_number(names, labels, source), "classes were matched by their numbers"
        if len(names) == len(labels) and all(_UNNAMED.fullmatch(label) for label in labels):
            note = "the classifier's classes have no names: classes were matched by their order"
            return list(range(len(names))), note
    return _by_name(names, labels, source), None


def _by_name(names: Sequence[str], labels: Sequence[str], source: str) -> list[int]:
    tables = [(form, _table(labels, form)) for form in _FORMS]
    candidates = [_candidates(name, tables) for name in names]
    if unknown := [name for name, found in zip(names, candidates, strict=True) if not found]:
        raise DataError(
            f"{source} has classes the classifier does not know, such as {short(unknown[0])!r}; it "
            f"knows {', '.join(labels[:5])} …; choose data with its classes"
        )
    claims = Counter(index for found in candidates for index in found)
    clear = [len(found) == 1 and claims[found[0]] == 1 for found in candidates]
    # Some names of ImageNet's classes stand for two of them. In lists of the same classes in the
    # same order their places tell which.
    if len(names) == len(labels) and 2 * sum(clear) > len(clear):
        same_order = all(found == [index] for index, found in enumerate(candidates) if clear[index])
        if same_order:
            return list(range(len(names)))
    for name, found, is_clear in zip(names, candidates, clear, strict=True):
        if not is_clear:
            raise _ambiguous(name, found, names, candidates, labels, source)
    return [found[0] for found in candidates]


def _ambiguous(
    name: str,
    found: Sequence[int],
    names: Sequence[str],
    candidates: Sequence[Sequence[int]],
    labels: Sequence[str],
    source: str,
) -> DataError:
    remedy = "name classes by index or, for ImageNet's, by WordNet ID"
    if len(found) > 1:
        several = " and ".join(f"{labels[index]!r} ({index})" for index in found)
        return DataError(
            f"the class {short(name)!r} of {source} could be {several}; spell it in this way, or "
            f"{remedy}"
        )
    other = next(
        each
        for each, indices in zip(names, candidates, strict=True)
        if each is not name and found[0] in indices
    )
    return DataError(
        f"the classes {short(name)!r} and {short(other)!r} of {source} would both be "
        f"{labels[found[0]]!r}; {remedy}"
    )


def _exact(name: str) -> str:
    return name


def _folded(name: str) -> str:
    """Without case, and with any signs between the words: folders are named giant_panda."""
    return " ".join(re.split(r"[\s_,]+", name.casefold().strip()))


def _first_synonym(name: str) -> str:
    """ "tench" for "tench, Tinca tinca"."""
    return name.partition(",")[0].strip()


def _first_synonym_folded(name: str) -> str:
    return _folded(_first_synonym(name))


# The first in which a name is that of a class counts: "Cardigan" is ImageNet's dog and "cardigan"
# its garment.
_FORMS = (_exact, _folded, _first_synonym, _first_synonym_folded)


def _table(labels: Sequence[str], form: Callable[[str], str]) -> dict[str, list[int]]:
    table: dict[str, list[int]] = {}
    for index, label in enumerate(labels):
        table.setdefault(form(label), []).append(index)
    return table


def _candidates(
    name: str, tables: Sequence[tuple[Callable[[str], str], dict[str, list[int]]]]
) -> list[int]:
    return next((table[form(name)] for form, table in tables if form(name) in table), [])


def _by_number(names: Sequence[str], labels: Sequence[str], source: str) -> list[int]:
    indices = [int(name) for name in names]
    if len(set(indices)) < len(indices):
        raise DataError(f"{source} names two classes by the same number; give each its own")
    if max(indices) >= len(labels):
        raise DataError(
            f"{source} has a class {max(indices)}; the classifier has {len(labels)}, from 0 on; "
            "choose data of its classes"
        )
    return indices


def _by_wordnet_id(names: Sequence[str], labels: Sequence[str], source: str) -> list[int]:
    if len(labels) != _IMAGENET_CLASSES:
        raise DataError(
            f"{source} names its classes by WordNet ID, such as {names[0]}, which only classifiers "
            f"with ImageNet's {_IMAGENET_CLASSES} classes know; this one has {len(labels)}"
        )
    if len(names) == _IMAGENET_CLASSES and list(names) == sorted(set(names)):
        return list(range(_IMAGENET_CLASSES))  # ImageNet's classes are in the order of their IDs
    known = {name: index for index, name in enumerate(_wordnet_ids(source))}
    if unknown := [name for name in names if name not in known]:
        raise DataError(
            f"{source} has the class {unknown[0]}, which is none of ImageNet's "
            f"{_IMAGENET_CLASSES}; leave it out"
        )
    return [known[name] for name in names]


def _wordnet_ids(source: str) -> list[str]:
    """Those of ImageNet's classes, in order, from timm."""
    try:
        from timm.data.imagenet_info import ImageNetInfo  # 2 s to import
    except ImportError:
        raise DataError(
            f"{source} names its classes by WordNet ID, whose list timm has: pip install timm, or "
            "name the folders like the classes"
        ) from None
    info: Any = ImageNetInfo("imagenet-1k")
    return list(info.label_names())
