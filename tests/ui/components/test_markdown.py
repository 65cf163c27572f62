"""Text that people wrote, as Markdown."""

from __future__ import annotations

import re

import pytest

from explorer.ui.components.markdown import plain, sentence


@pytest.mark.parametrize("text", ["![x](https://example.com/x.png)", "a_b*c", ":red[x] <b> $y$"])
def test_special_characters_lose_their_meaning(text: str) -> None:
    assert re.sub(r"\\(.)", r"\1", plain(text)) == text
    assert not re.search(r"(?<!\\)[][*_!<>$:()]", plain(text))


def test_an_error_becomes_a_sentence_with_one_full_stop() -> None:
    assert sentence("too few steps") == "Too few steps."
    assert sentence("Too few steps.") == "Too few steps."
    assert sentence("can't write") == "Can't write."


def test_the_name_of_a_file_keeps_its_case() -> None:
    assert sentence("cat.png is no picture") == r"cat\.png is no picture."
    assert sentence("cifar10-standard has no weights") == r"cifar10\-standard has no weights."
