"""Answers kept: the last ones, by question."""

from __future__ import annotations

from explorer.ui.shared.result_cache import ResultCache


def test_an_answer_is_kept_until_newer_ones_need_its_place() -> None:
    answers = ResultCache(most=2)
    for key in ("a", "b"):
        answers.put(key, key.upper())
    assert answers.get("a") == "A"  # asked for, and so the younger one
    answers.put("c", "C")
    assert answers.get("b") is None
    assert (answers.get("a"), answers.get("c")) == ("A", "C")


def test_a_newer_answer_replaces_the_older_one() -> None:
    answers = ResultCache(most=2)
    answers.put("a", 1)
    answers.put("b", 2)
    answers.put("a", 3)
    answers.put("c", 4)
    assert (answers.get("a"), answers.get("b")) == (3, None)
