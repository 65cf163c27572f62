"""Recipes, lists of labels, model cards and values of addresses."""

from __future__ import annotations

import json
from random import Random
from typing import Any

from explorer.classifiers.user_model_card import UserModelCard
from explorer.experiments.one_image.recipe import Recipe
from tests.hostile.mutations import damaged

_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 0.5, -0.0, 1e308, 1e-320, 2**31, 2**63, 10**400, "", "x"),
    *(float("nan"), float("inf"), [], {}, [[]], {"a": {}}, [1, 2, 3], "\ud800", "\0", "a\nb"),
    *("x" * 100_000, "../../etc/passwd", "gallery:nothing", "upload:a.png", "=1+1", "<b>", "8/255"),
)
_NUMBERS = (
    *("8/255", "0.03", "1/0", "nan", "inf", "-inf", "1e999", "1e-999999999", "1" * 10_000, "١/٢"),
    *("1/2/3", "/", "", " 4 / 255 ", "0x10", "1_000", "1e5/1e5", "9" * 39 + "/7", "1e399/1e-399"),
    *(
        "½",
        "-8/255",
        "+8/255",
        "8/-255",
        "0,5",
        "0.5,0.5,1",
        "0,0,nan",
        "1e-400,1,1",
        "\0",
        "\ud800",
    ),
)


def recipe(random: Random) -> str:
    """The text of a recipe."""
    good = Recipe("gallery:cifar10-00", "cifar10-standard", "linf", 8 / 255, 10).to_json()
    return _mutated(random, json.loads(good))


def card(random: Random) -> str:
    """The text of a card of an added model, or of a bundled one."""
    own = json.loads(UserModelCard("mine", "resnet18", ("a", "b")).to_json())
    bundled = {
        "name": "x",
        "labels": ["a", "b"],
        "accuracy": [{"data": "d", "n": 1, "norm": "l2", "epsilon": 0.5, "steps": 1}],
        "network": {"widths": [1, 2]},
        "mean": [0.5, 0.5, 0.5],
    }
    return _mutated(random, random.choice((own, bundled)))


def labels(random: Random) -> str:
    """The text of a list of class names."""
    count = random.choice((0, 1, 2, 10, 1000, 100_000))
    kinds = random.choices(("n", "n", "a", "ε"), k=count)
    names: Any = [f"n{i}" if kind == "n" else kind for i, kind in enumerate(kinds)]
    shape = random.random()
    if shape < 0.3:
        keys = random.choices((None, None, "-1", "1e3", "٣", ""), k=count)
        names = {
            str(i) if key is None else key: x
            for i, (key, x) in enumerate(zip(keys, names, strict=True))
        }
    elif shape < 0.5:
        names = {str(i): ["n01", x] for i, x in enumerate(names)}
    elif shape < 0.6:
        return random.choice(("\n", "\r\n", " ", "\x85", "\0")).join(names)
    return _mutated(random, names)


def address(random: Random) -> str:
    """What may stand behind ``?epsilon=`` and the like."""
    text = random.choice(_NUMBERS)
    if random.random() < 0.5:
        return text
    raw = damaged(random, text.encode(errors="surrogatepass"))
    return raw.decode(errors=random.choice(("replace", "surrogateescape")))


def _mutated(random: Random, value: Any) -> str:
    """JSON of ``value`` with a change of values, of keys, or of the text."""
    kind = random.random()
    if kind < 0.6:
        for _ in range(random.choice((1, 1, 2, 5))):
            value = _with_a_change(random, value)
        return json.dumps(value)
    if kind < 0.9:
        raw = damaged(random, json.dumps(value).encode())
        return raw.decode(errors="replace")
    return random.choice(
        (
            "[" * 100_000,
            '{"a":' * 100_000,
            '{"format": ' + "9" * 5000 + "}",
            "",
            "null",
            "NaN",
            '"' + "x" * 10**6 + '"',
            "{" + ",".join(f'"k{i}": 0' for i in range(50_000)) + "}",
            json.dumps(value) * 2,
            "\ufeff" + json.dumps(value),
        )
    )


def _with_a_change(random: Random, value: Any) -> Any:
    if isinstance(value, dict) and value and random.random() < 0.9:
        key = random.choice(list(value))
        if random.random() < 0.2:
            return {
                (random.choice(("", "x", key * 2)) if k == key else k): v for k, v in value.items()
            }
        return {**value, key: _with_a_change(random, value[key])}
    if isinstance(value, list) and value and random.random() < 0.7:
        place = random.randrange(len(value))
        return [*value[:place], _with_a_change(random, value[place]), *value[place + 1 :]]
    return random.choice(_VALUES)
