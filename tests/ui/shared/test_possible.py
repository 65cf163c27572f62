"""What is said to be possible in place of a wrong value."""

from __future__ import annotations

from explorer.ui.shared.possible import Choices, Range


def test_few_choices_are_all_named_and_of_many_the_nearest() -> None:
    assert Choices(("cat", "dog")).words(["cow"]) == "cat, dog"
    many = tuple(f"class {number}" for number in range(1000))
    assert Choices(many).words(["clas 77"]).startswith("class 77, ")
    assert Choices(many).words(["qqq"]) == "class 0, class 1, class 2, … (1,000 in all)"


def test_too_many_at_once_is_said() -> None:
    assert Choices(("a", "b", "c"), most=2).words(["a", "b", "c"]) == "at most 2"
    assert Choices(("a", "b", "c"), most=2).words(["z"]) == "a, b, c"


def test_one_that_is_named_twice_is_said() -> None:
    words = Choices(("a", "b", "c"), most=2).words(["a", "a"])
    assert words == "each once; a is named more than once"


def test_all_that_is_wrong_with_a_list_is_said() -> None:
    choices = Choices(("a", "b", "c"), most=2)
    assert choices.words(["a", "a", "z"]) == "a, b, c; each once; a is named more than once"
    assert choices.words(["c", "z"]) == "a, b, c; at most 2"
    assert choices.words(["a", "a", "c"]) == "at most 2; each once; a is named more than once"


def test_whole_numbers_are_told_apart() -> None:
    assert Range(0, 2147483647).words(()) == "a whole number from 0 to 2,147,483,647"
    assert Range(0, 32.0).words(()) == "0 to 32"
    assert Range(1, 1).words(()) == "only 1"
