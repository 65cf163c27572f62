"""Text that people wrote, as Markdown. A journey shows such text in a real browser."""

from __future__ import annotations

import re

import pytest

from explorer.ui.components.markdown import plain, sentence, title_of, unbroken
from tests.ui.app import shown

# What Streamlit finds in the finished text, whatever was escaped: each must be cut in two.
FOUND_LATER = re.compile(r"https?://|www\.|\w@\w|:[a-z]+(/\w+)?:|<?->|<-|--|[<>~]=", re.IGNORECASE)


@pytest.mark.parametrize(
    "text",
    [
        "![x](https://example.com/x.png)",
        "a_b*c",
        ":red[x] <b> $y$",
        "[x](javascript:alert(1)) :material/home: :streamlit: WWW.example.com a@b.example",
        "a -> b <-> c -- d >= e ~= f",
    ],
)
def test_special_characters_lose_their_meaning(text: str) -> None:
    assert shown(plain(text)) == text
    markup = plain(text).replace(":small[]", "\0")
    assert not re.search(r"(?<!\\)[][*_!<>$:()]", markup)
    assert not FOUND_LATER.search(markup.replace("\\", ""))


@pytest.mark.parametrize("text", ["heading\n===", "    code", "a\n\n- item", "a  \nb"])
def test_lines_and_indents_make_no_blocks(text: str) -> None:
    assert shown(plain(text)) == " ".join(text.split())


def test_an_error_becomes_a_sentence_with_one_full_stop() -> None:
    assert sentence("too few steps") == "Too few steps."
    assert sentence("Too few steps.") == "Too few steps."
    assert sentence("can't write") == "Can't write."


def test_the_name_of_a_file_keeps_its_case() -> None:
    assert sentence("cat.png is no picture") == r"cat\.png is no picture."
    assert sentence("cifar10-standard has no weights") == r"cifar10\-standard has no weights."


def test_a_classifier_of_a_persons_own_has_its_title() -> None:
    assert shown(sentence("user:ok5 lacks the class")) == "ok5 lacks the class."
    assert shown(sentence("choose another than user:a-1.b")) == "Choose another than a-1.b."
    assert shown(sentence("superuser:x and https://user:x")) == "superuser:x and https://user:x."
    assert title_of("user:ok5") == "ok5"
    assert title_of("cifar10-d") == "cifar10-d"


def test_the_cells_of_a_table_break_between_numbers_and_not_within() -> None:
    cell = unbroken("0.2 % (< 0.1 % to 1.1 %; n = 500)")
    assert cell.split(" ") == [
        part.replace("_", "\u00a0") for part in (*("0.2_%", "(<_0.1_%_to_1.1_%;", "n_=_500)"),)
    ]
    assert cell.replace("\u00a0", " ") == "0.2 % (< 0.1 % to 1.1 %; n = 500)"
