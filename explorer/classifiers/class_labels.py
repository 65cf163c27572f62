"""Class names: from a person's file, and the index of one."""

from __future__ import annotations

import codecs
import json
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from numbers import Integral
from operator import itemgetter
from pathlib import Path
from typing import Any

from explorer.classifiers.error import ClassifierError
from explorer.classifiers.readable import first_bytes
from explorer.errors import did_you_mean, short

Labels = Sequence[str] | Mapping[Any, Any] | os.PathLike[str]
_FEW_SHARED = 0.01  # of all classes
_FEW = 12  # classes, which a message can list
_MAX_DIGITS = 9  # of an index
MAX_CHARACTERS = 2_000_000  # ImageNet's 21,841 classes have 500,000


def parse_labels(text: str) -> tuple[str, ...]:
    """The class names in ``text``, in the order of the classes.

    There is one name a line, or JSON: a list of names, or an object that :func:`names_by_index`
    takes, such as ImageNet's class index or the configuration of a model on Hugging Face. Raises
    :class:`ClassifierError`.
    """
    if len(text) > MAX_CHARACTERS:
        raise ClassifierError(
            f"the labels have {len(text):,} characters; at most {MAX_CHARACTERS:,} are read"
        )
    try:
        labels: Any = json.loads(text)
    except RecursionError:
        labels = None
    except ValueError:
        labels = [line.strip() for line in text.splitlines() if line.strip()]
        if len(labels) == 1 and labels[0][0] in "[{":
            raise ClassifierError(
                "the labels are broken JSON; write one name a line, or JSON such as "
                '["cat", "dog"] or {"0": "cat"}'
            ) from None
    if isinstance(labels, Mapping):
        labels = names_by_index(labels)
    if not isinstance(labels, list) or not all(
        isinstance(label, str) and label.strip() for label in labels
    ):
        raise ClassifierError(
            "the labels must be a list of names: one a line, or JSON such as "
            '["cat", "dog"] or {"0": "cat"}'
        )
    if any("\ud800" <= character <= "\udfff" for label in labels for character in label):
        raise ClassifierError("a label holds half of a character (a surrogate); write it anew")
    if len(labels) < 2:
        raise ClassifierError(f"a classifier needs at least two labels; the file has {len(labels)}")
    return tuple(label.strip() for label in labels)


def read_labels(path: Path) -> tuple[str, ...]:
    """The class names in a text or JSON file. Raises :class:`ClassifierError`."""
    first_bytes(path, "file of labels")  # says what is wrong with the path
    if path.stat().st_size > 4 * MAX_CHARACTERS:
        raise ClassifierError(f"{path} is too large for a file of labels")
    return parse_labels(decode_labels(path.read_bytes()))


def decode_labels(data: bytes) -> str:
    """The text of a file of labels, without a byte order mark. Raises :class:`ClassifierError`."""
    is_utf16 = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))  # as PowerShell writes
    try:
        text = data.decode("utf-16" if is_utf16 else "utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise ClassifierError("the labels must be text in UTF-8; this file is something else")
    return text


def names_by_index(labels: Mapping[Any, Any]) -> list[Any]:
    """The names in the order of their indices.

    ``labels`` goes from each index, a number or its digits, to a name or to a list that ends with
    the name; or from each name to its index, as ``label2id`` and ``class_to_idx`` do; or it is a
    configuration with such a mapping under ``id2label``. Raises :class:`ClassifierError`.
    """
    inner = labels.get("id2label")
    pairs = list((inner if isinstance(inner, Mapping) else labels).items())
    if all(_is_name(key) and isinstance(value, Integral) for key, value in pairs):
        pairs = [(value, key) for key, value in pairs]
    try:
        by_index = sorted(((int(key), value) for key, value in pairs), key=itemgetter(0))
    except (TypeError, ValueError):
        raise ClassifierError(
            'the labels must map an index to each name, such as {"0": "cat", "1": "dog"}'
        ) from None
    if [index for index, _ in by_index] != list(range(len(by_index))):
        raise ClassifierError(f"the labels' indices must be 0 to {len(pairs) - 1}, each once")
    return [value[-1] if isinstance(value, list) and value else value for _, value in by_index]


def _is_name(key: Any) -> bool:
    return isinstance(key, str) and not key.strip().isdecimal()


def repeated_note(labels: Sequence[str], owner: str) -> str | None:
    """What to say if many classes share their names, so that a change may not show; else None.

    ImageNet has two cranes and two maillots, each of them two things, among 1000 classes.
    """
    counts = Counter(labels)
    shared = [label for label in labels if counts[label] > 1]
    if len(shared) <= _FEW_SHARED * len(labels):
        return None
    return (
        f"{len(shared)} of the {len(labels):,} classes of {owner} have a name that another class "
        f"has too, such as {counts.most_common(1)[0][0]!r}: where the prediction changes from one "
        "to another of them, the name stays; give each class a name of its own"
    )


def find_label(text: str, labels: Sequence[str], owner: str) -> int:
    """The index of the label ``text``, in any letter case; or ``text`` itself if it is an index.

    Raises :class:`ClassifierError`, naming the ``owner`` of the labels, when none or several match:
    with all labels if they are few, and else with the nearest ones.
    """
    text = text.strip()
    folded = [label.casefold() for label in labels]
    matches = [index for index, label in enumerate(folded) if label == text.casefold()]
    if len(matches) == 1:
        return matches[0]
    if len(matches) > 1:
        numbers = " and ".join(map(str, matches))
        raise ClassifierError(f"{text!r} names the classes {numbers}; give the number")
    if text.isdecimal():
        if len(text) <= _MAX_DIGITS and int(text) < len(labels):
            return int(text)
        last = len(labels) - 1
        raise ClassifierError(f"{owner} has classes 0 to {last}; there is no {short(text)}")
    raise ClassifierError(f"{owner} has no class {short(text)!r}; {_others(text, labels)}")


def _others(text: str, labels: Sequence[str]) -> str:
    """All ``labels`` if they are few, or else those nearest to ``text`` and where all are."""
    if len(labels) <= _FEW:
        return f"its classes are {', '.join(labels)}"
    near = did_you_mean(text, labels)
    where = f"python -m explorer models --classes MODEL lists all {len(labels):,}"
    return f"{near} ({where})" if near else where
