"""Reading a recipe, which a person may have edited: plain spellings are values, all else one
sentence.
"""

from __future__ import annotations

import json
import re
import reprlib
from collections.abc import Callable, Sequence
from dataclasses import MISSING, fields
from typing import Any

from explorer.errors import UserError, short
from explorer.experiments.one_image.recipe import (
    FORMAT,
    Recipe,
    RecipeError,
    RecordedPrediction,
    parse_crop,
    parse_number,
)
from explorer.images.geometry import Crop

CLASSES = ("label", "target")  # a person may write a class's name in place of its index
# The name of a field's type in an error, by its annotation.
_WORDS = {
    "str": "a text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "RecordedPrediction": "an object of name and confidence",
    "Crop": "an object of x, y and zoom",
    "dict[str, str]": "an object of texts",
}
_CLASS = "the index or the name of a class"
_MAX_NAME = 1000  # characters
_NO_TEXT = re.compile("[\0\ud800-\udfff]")  # neither file names nor UTF-8 can have these
_WHOLE = re.compile(r"\s*[+-]?[0-9]{1,40}\s*")


def read_recipe(text: str) -> tuple[Recipe, dict[str, str]]:
    """The recipe that :meth:`Recipe.to_json` wrote, and the class names that stand in it.

    The names, by field, are those in place of an index: "label": "cat". The recipe has None there
    until a classifier finds them. Numbers may be texts ("4/255"), a crop may be a text as on the
    command line, and null is the default of each field that has one.

    Raises :class:`RecipeError` for any other text and :class:`~explorer.errors.UserError` for a
    crop out of range. The attack checks the range of its settings itself.
    """
    try:
        data: Any = json.loads(text.removeprefix("\ufeff"), object_pairs_hook=_without_repeats)
    except UserError:
        raise
    except (ValueError, RecursionError) as error:
        raise RecipeError(f"this is not a recipe, which is JSON: {short(error)}") from None
    if not isinstance(data, dict) or data.pop("format", None) != FORMAT:
        raise RecipeError(f"this is not a recipe of format {FORMAT}, as the explorer writes it")
    names = {key: data.pop(key) for key in CLASSES if _is_name(data.get(key))}
    recipe: Recipe = _from_object(Recipe, data, "recipe")
    return recipe, names


def _without_repeats(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object. Python itself would take the last of two entries with one name."""
    values = dict(pairs)
    if len(values) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise RecipeError(f"the recipe has {short(twice)} twice; keep one of them")
    return values


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= _MAX_NAME and not _NO_TEXT.search(value)


def _from_object(cls: type[Any], data: dict[str, Any], what: str) -> Any:
    """The dataclass ``cls`` from a JSON object. An error calls it ``what``."""
    known = {item.name: item for item in fields(cls)}
    if unknown := sorted(set(data) - set(known)):
        names = short(", ".join(unknown))
        raise RecipeError(
            f"the {what} has entries this version does not know: {names}; correct or remove them"
        )
    defaults = {n for n, f in known.items() if (f.default, f.default_factory) != (MISSING, MISSING)}
    if missing := [name for name in known if name not in defaults | set(data)]:
        raise RecipeError(f"the {what} lacks {', '.join(missing)}")
    values = {
        name: _value(what, name, str(known[name].type), value)
        for name, value in data.items()
        if value is not None or name not in defaults
    }
    return cls(**values)


def _value(what: str, name: str, annotation: str, value: Any) -> Any:
    """A field's value from its JSON form. Raises :class:`RecipeError` for one of another type."""
    kind, optional = annotation.removesuffix(" | None"), annotation.endswith(" | None")
    if kind == "Crop" and isinstance(value, dict):
        return _from_object(Crop, value, "crop")
    if kind == "RecordedPrediction" and isinstance(value, dict):
        return _from_object(RecordedPrediction, value, f"prediction {name!r}")
    if kind == "Crop" and isinstance(value, str):
        return parse_crop(value)
    if kind == "dict[str, str]" and isinstance(value, dict):
        return {key: _value(what, name, "str", item) for key, item in value.items()}
    convert = _CONVERSIONS.get(kind)
    converted = convert(value) if convert else None
    if converted is None:
        words = _CLASS if name in CLASSES else _WORDS[kind]
        words += " or null" if optional else ""
        raise RecipeError(f"the {what}'s {name} must be {words}; it is {_shown(value)}")
    return converted


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and not _NO_TEXT.search(value) else None


def _whole_number(value: Any) -> int | None:
    if isinstance(value, str):
        return int(value) if _WHOLE.fullmatch(value) else None
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    return value if type(value) is int else None  # a bool is an int too


def _number(value: Any) -> float | None:
    if isinstance(value, str):
        try:
            return parse_number(value)
        except RecipeError:
            return None
    # The comparison refuses NaN, infinity, and ints that are too large for a float.
    return float(value) if type(value) in (int, float) and abs(value) < 1e300 else None


_CONVERSIONS: dict[str, Callable[[Any], Any]] = {
    "str": _text,
    "int": _whole_number,
    "float": _number,
    "bool": lambda value: value if isinstance(value, bool) else None,
}


def _shown(value: Any) -> str:
    """A JSON value for a message."""
    is_word = value is None or isinstance(value, bool)
    return json.dumps(value) if is_word else reprlib.repr(value)
