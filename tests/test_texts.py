"""The texts of the program, found in its source: how numbers are written, how errors begin and end.

What a page or a command says is made of the strings in the source and of the cards of the bundled
classifiers. Docstrings are for programmers and are left out.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import explorer
from explorer.errors import count_of
from explorer.files import ASSETS

SOURCE = Path(explorer.__file__).parent
SCRIPTS = sorted(path for path in SOURCE.rglob("*.py") if "__pycache__" not in path.parts)
CARDS = sorted((ASSETS / "classifiers").glob("*.json"))
# A number of four digits or more is written 2,000: not 2 000, and not 2000 of something. A list of
# numbers, as in "default 1 8 128", has no thousands.
COUNTED = "images|pictures|photographs|samples|classes|steps|pixels|queries|labels|names|tiles"
WRONG_THOUSANDS = re.compile(
    rf"(?<!\d )\b\d{{1,3}}[ \u00a0\u2009\u202f]\d{{3}}\b(?! \d)|\b\d{{4,}} (?:{COUNTED})\b"
)


def is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def texts(tree: ast.AST) -> Iterator[str]:
    """All strings but docstrings; a formatted string in its parts."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif not is_docstring(node):
            yield from texts(node)


def strings_of(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from strings_of(each)


@pytest.fixture(scope="module")
def trees() -> dict[str, ast.Module]:
    return {
        str(path.relative_to(SOURCE)): ast.parse(path.read_text(encoding="utf-8"))
        for path in SCRIPTS
    }


def test_thousands_have_a_comma_in_the_source(trees: dict[str, ast.Module]) -> None:
    wrong = [
        f"{name}: {text}"
        for name, tree in trees.items()
        for text in texts(tree)
        if WRONG_THOUSANDS.search(text)
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.stem)
def test_thousands_have_a_comma_in_the_cards(card: Path) -> None:
    said = strings_of(json.loads(card.read_text(encoding="utf-8")))
    assert not [text for text in said if WRONG_THOUSANDS.search(text)]


def test_the_walk_finds_what_is_wrong() -> None:
    for text in ("2 000 images", "2\u202f000", "the 1 275 others", "2000 images"):
        assert WRONG_THOUSANDS.search(text)
    for text in ("2,000 images", "default 1 8 128", "in 2019, pictures of it", "50 images"):
        assert not WRONG_THOUSANDS.search(text)
    assert [*texts(ast.parse('"""a"""\nx = f"b{y}c"\ndef f():\n    "d"\n    raise E("e")'))] == [
        *("b", "c", "e")
    ]


def test_a_count_has_a_comma_from_a_thousand_on() -> None:
    assert [count_of(n, "image") for n in (1, 20, 1000, 50_000)] == [
        *("1 image", "20 images", "1,000 images", "50,000 images")
    ]


def errors_of(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """The first and the last fixed part of the text of each error that is raised with one."""
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and node.exc.args):
            continue
        text = node.exc.args[0]
        parts = text.values if isinstance(text, ast.JoinedStr) else [text]
        ends = [
            part.value if isinstance(part, ast.Constant) and isinstance(part.value, str) else ""
            for part in (parts[0], parts[-1])
        ]
        yield ends[0], ends[1]


def test_errors_leave_the_capital_and_the_full_stop_to_the_page(
    trees: dict[str, ast.Module],
) -> None:
    """``explorer.ui.components.markdown.sentence`` adds both, and a command wants neither."""
    errors = [(name, *ends) for name, tree in trees.items() for ends in errors_of(tree)]
    assert len(errors) > 300
    stopped = [f"{name}: {last}" for name, _, last in errors if last.endswith((".", "!"))]
    assert not stopped, "\n".join(stopped)
    capital = re.compile(r"[A-Z][a-z]+\b")
    begun = {first.split()[0] for _, first, _ in errors if capital.match(first)}
    assert begun <= {"Square"}, begun  # names alone
