"""The whole numbers of all commands: one rule for seeds, and none without limits."""

from __future__ import annotations

import argparse

import pytest

from explorer.__main__ import _parser
from explorer.cli.whole_numbers import whole_number
from explorer.settings import MAX_SEED
from tests.cli.running import run

COMMANDS = _parser().commands.choices
for each in COMMANDS.values():
    each.load()
ACTIONS = [(name, action) for name, each in COMMANDS.items() for action in each._actions]
SEEDS = [(name, action) for name, action in ACTIONS if action.dest == "seed"]


def test_no_option_takes_any_number_whatever() -> None:
    unlimited = [(name, a.option_strings) for name, a in ACTIONS if a.type in (int, float)]
    assert not unlimited


@pytest.mark.parametrize(("name", "action"), SEEDS, ids=[name for name, _ in SEEDS])
def test_all_commands_take_the_seeds_of_the_pages(name, action) -> None:
    assert (action.type("0"), action.type(str(MAX_SEED))) == (0, 2**31 - 1)
    for text in ("-1", str(MAX_SEED + 1), "1.5", "", "9" * 5000):
        with pytest.raises(argparse.ArgumentTypeError, match="from 0 to 2,147,483,647"):
            action.type(text)


def test_every_whole_number_has_a_least_and_a_most() -> None:
    """Zero, negative and absurd numbers are refused wherever a number is whole."""
    names = [(getattr(action.type, "__qualname__", ""), action) for _, action in ACTIONS]
    whole = [action for name, action in names if name.startswith(whole_number.__name__)]
    assert len(whole) > 40
    for action in whole:
        for text in ("-1", "1" + "0" * 30):
            with pytest.raises(argparse.ArgumentTypeError):
                action.type(text)
        if action.dest not in ("seed", "index", "smooth"):
            with pytest.raises(argparse.ArgumentTypeError):
                action.type("0")


@pytest.mark.parametrize(
    ("text", "value"), [("1", 1), ("10", 10), (" 7 ", 7), ("0", None), ("11", None), ("x", None)]
)
def test_the_limits_belong_to_the_numbers(text, value) -> None:
    read = whole_number(1, 10)
    if value is not None:
        assert read(text) == value
        return
    with pytest.raises(argparse.ArgumentTypeError) as error:
        read(text)
    assert str(error.value) == f"it must be a whole number from 1 to 10, and not {text!r}"


def test_a_wrong_number_is_one_line_before_anything_is_loaded(capsys, tmp_path) -> None:
    arguments = ["attack", "no.png", "--model", "none", "--epsilon", "1/255", "--out"]
    status, out, err = run(capsys, *arguments, str(tmp_path), "--seed", "-1")
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert "--seed: it must be a whole number from 0 to 2,147,483,647, and not '-1'" in err
