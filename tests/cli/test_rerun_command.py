"""``rerun`` of recipes that hold a command: the same files, or a list of what differs."""

from __future__ import annotations

import json

import pytest

from tests.cli.running import run

SWEEP = ["sweep", "gallery:cifar10-00", "--model", "cifar10-standard", "--norm", "linf"]
FAST = ["--epsilon", "0", "2/255", "--steps", "2", "--device", "cpu"]


@pytest.fixture
def recipe(capsys, tmp_path):
    status, _, err = run(capsys, *SWEEP, *FAST, "--out", str(tmp_path / "a"))
    assert status == 0, err
    return tmp_path / "a" / "recipe.json"


def test_the_same_again_and_what_differs(capsys, tmp_path, recipe):
    again = ["rerun", str(recipe), "--out", str(tmp_path / "b"), "--json"]
    status, out, err = run(capsys, *again)
    assert (status, "the same again: accuracy.csv" in err) == (0, True), err
    assert len(json.loads(out)["rows"]) == 2
    table = recipe.parent / "accuracy.csv"
    assert table.read_bytes() == (tmp_path / "b" / "accuracy.csv").read_bytes()
    table.write_text(table.read_text() + "changed\n")
    changed = json.loads(recipe.read_text())
    changed["versions"]["torch"] = "1.0"
    changed["models"][0]["weights_digest"] = "0" * 64
    recipe.write_text(json.dumps(changed))
    status, _, err = run(capsys, *again)
    assert status == 1
    assert "accuracy.csv: its content is not the same" in err
    assert "versions, torch: was 1.0" in err
    assert "models: was" in err


def test_a_device_that_is_named_counts_before_that_of_the_recipe(capsys, tmp_path, recipe):
    values = json.loads(recipe.read_text())
    recipe.write_text(json.dumps(values | {"command": values["command"] + " --device=cpu"}))
    again = ["rerun", str(recipe), "--out", str(tmp_path / "b")]
    assert run(capsys, *again)[0] == 0
    status, _, err = run(capsys, *again, "--device", "abacus")
    assert (status, "unknown device" in err) == (2, True)


def test_it_says_that_there_is_nothing_to_compare(capsys, tmp_path, recipe):
    (recipe.parent / "accuracy.csv").unlink()
    status, _, err = run(capsys, "rerun", str(recipe), "--out", str(tmp_path / "b"))
    assert status == 0
    assert "results not compared" in err


def test_other_files_beside_it_and_another_name_of_its_own_do_not_differ(capsys, tmp_path, recipe):
    (recipe.parent / "accuracy.csv").rename(recipe.parent / "sweep.csv")  # as a page's download
    (recipe.parent / "mine.csv").write_text("1,2")
    status, _, err = run(capsys, "rerun", str(recipe), "--out", str(tmp_path / "b"))
    assert (status, "the same again: sweep.csv" in err) == (0, True), err


def test_a_name_that_is_not_there_names_a_recipe_that_is(capsys, recipe):
    recipe.rename(recipe.with_name("recipe-cifar10-standard.json"))
    status, _, err = run(capsys, "rerun", str(recipe), "--out", str(recipe.parent / "b"))
    assert (status, "name recipe-cifar10-standard.json, which lies there" in err) == (2, True), err


@pytest.mark.parametrize(
    "command",
    [None, 3, "rm -rf x", "python -m explorer", "python -m explorer app", "python -m explorer '"],
)
def test_a_command_of_another_kind_is_not_run(capsys, tmp_path, command):
    path = tmp_path / "recipe.json"
    path.write_text(json.dumps({"command": command}))
    status, _, err = run(capsys, "rerun", str(path), "--out", str(tmp_path / "b"))
    assert status == 2
    assert "no command that can be repeated" in err
    assert not (tmp_path / "b").exists()


def test_a_picture_is_named_in_the_command_alone(capsys, tmp_path, recipe):
    asked = ["rerun", str(recipe), "--image", "gallery:panda", "--out", str(tmp_path / "b")]
    status, _, err = run(capsys, *asked)
    assert status == 2
    assert "in its command" in err
