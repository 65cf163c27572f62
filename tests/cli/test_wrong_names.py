"""Commands, options and values that there are not: one line, with the nearest that there is."""

from __future__ import annotations

import pytest

from tests.cli.running import run


def test_a_wrong_command_gets_the_nearest_one_and_the_sorted_list_once(capsys) -> None:
    status, out, err = run(capsys, "atack", "photo.jpg")
    assert (status, out) == (2, "")
    assert err.startswith(
        "python -m explorer: there is no command 'atack' (did you mean attack?); the commands are "
    )
    commands = (
        err.partition("the commands are ")[2].removesuffix(" (--help tells more)\n").split(", ")
    )
    assert commands == sorted(commands)
    assert {"attack", "train", "five-sets", "doctor"} <= set(commands)
    status, _, err = run(capsys)
    assert status == 2
    assert f"name a command; the commands are {', '.join(commands)}" in err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("train", "cifar10-robst"), "'cifar10-robst' (did you mean cifar10-robust?); use tiny12-"),
        (("models", "--fecth", "x"), "models: unrecognized arguments: --fecth x (did you mean "),
        (("models", "--qqq"), "models: unrecognized arguments: --qqq (--help"),
    ],
)
def test_a_wrong_name_gets_the_nearest_one(capsys, arguments, words) -> None:
    status, out, err = run(capsys, *arguments)
    assert (status, out) == (2, "")
    assert words in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("train", "cifar10-standard", "--data", ""), "train: --data is empty"),
        (("train", "cifar10-standard", "--data="), "train: --data is empty"),
        (("rerun", " ", "--out", "o"), "rerun: an argument is empty"),
        (("evaluate", "--model", "m", "--data", "", "--epsilon", "0"), "evaluate: --data is empty"),
    ],
)
def test_the_value_of_a_variable_that_is_not_set_is_refused(capsys, arguments, words) -> None:
    """A path of no characters would be the current folder, and an option without one a default."""
    status, out, err = run(capsys, *arguments)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert words in err


def test_a_python_file_without_a_function_gets_the_form(capsys) -> None:
    status, _, err = run(capsys, "models", "--classes", "my_net.py")
    assert status == 2
    assert "'my_net.py' (name its function too: my_net.py:FUNCTION)" in err
