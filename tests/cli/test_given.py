"""Options that another one makes void are refused, or said to change nothing."""

from __future__ import annotations

import argparse

import pytest

from explorer.cli.common import UsageError
from explorer.cli.given import given_options, note_void, refuse_void
from tests.cli.running import run

ATTACK = ("attack", "gallery:cifar10-00", "--model", "cifar10-standard", "--epsilon", "8/255")
COMPARE = ("compare", "gallery:cifar10-00", "--model", "cifar10-standard", "cifar10-robust")
COMPARE += ("--epsilon", "8/255")
FGSM = "FGSM is one full step from the image itself"
SMALL = ("--model", "cifar10-standard")
EVALUATE = ("evaluate", *SMALL, "--data", "no.parquet", "--epsilon", "0")
STRENGTH = ("bench", "--to-strength")
VOID = [
    *(
        ((*command, "--fgsm", *more), f"{FGSM}, in float32; leave out {more[0]}")
        for command in (ATTACK, COMPARE)
        for more in (
            ("--steps", "5"),
            ("--restarts", "3"),
            ("--step-size", "0.01"),
            ("--rule", "momentum"),
            ("--effort", "thorough"),
            ("--effort", "quick"),
            ("--keep", "best"),
            ("--precision", "bfloat16"),
        )
    ),
    ((*ATTACK, "--animate", "epsilon"), "without --animation nothing moves; leave out --animate"),
    *(
        (
            (command, "gallery:cifar10-00", "gallery:cifar10-01", models, *names, *more),
            "only --data",
        )
        for command, models, names in (
            ("sweep", "--model", ["cifar10-standard"]),
            ("smallest", "--model", ["cifar10-standard"]),
            ("transfer", "--models", ["cifar10-standard", "cifar10-robust"]),
        )
        for more in (("--limit", "1"), ("--image-column", "x"), ("--label-column", "x"))
    ),
    (
        (*EVALUATE, "--attack", "apgd", "--precision", "bfloat16"),
        "the gradients of apgd are in float32; leave out --precision",
    ),
    (
        ("five-sets", "gallery:cifar10-00", "--start", "noise", "--start-label", "cat"),
        "--start noise shows no class; leave out --start-label",
    ),
    *(
        (
            (command, *SMALL, "--data", data, "--epsilon", "0", "--label-column", "x"),
            f"only a table has columns, and {data} is none; leave out --label-column",
        )
        for command, data in (
            ("evaluate", "gallery"),
            ("evaluate", "cifar10"),
            ("sweep", "gallery"),
        )
    ),
    (("models", "--fetch", "torchvision:googlenet", "--check"), "leave out --check"),
    (("doctor", "--tune", "--network"), "nothing is checked; leave out --network"),
    (("doctor", "--forget", "--network"), "nothing is checked; leave out --network"),
    (("train", "cifar10-standard", "--epochs", "2", "--stop-after", "3"), "later than the last"),
    (("bench", "--catalogue", "--limit", "3"), "only --to-strength takes these options"),
    (("bench", "--aim", "targeted", "--norm", "l2"), "leave out --norm and --aim"),
    (("bench", "--max-gflop", "3"), "only --catalogue has limits; leave out --max-gflop"),
    ((*STRENGTH, "--max-parameters", "3"), "leave out --max-parameters"),
    ((*STRENGTH, "--batch", "3", "--steps", "3"), "leave out --batch and --steps"),
    ((*STRENGTH, "--norm", "l2", "--epsilon", "0.1"), "leave out --epsilon"),
    ((*STRENGTH, "--norm", "linf", "--epsilon-l2", "0.1"), "leave out --epsilon-l2"),
    (("bench", "--peers-get", "frozen"), "no other library is measured; leave out --peers-get"),
    (("bench", "--scaling", "--precision", "folded"), "leave out --precision"),
]


@pytest.mark.parametrize(
    ("arguments", "words"), VOID, ids=[" ".join(each)[:70] for each, _ in VOID]
)
def test_what_would_be_ignored_is_refused(capsys, tmp_path, arguments, words) -> None:
    needs_out = arguments[0] in ("attack", "compare", "five-sets")
    out = ["--out", str(tmp_path / "out")] if needs_out else []
    status, text, err = run(capsys, *arguments, *out)
    assert (status, text, err.count("\n")) == (2, "", 1), err
    assert words in err
    assert not (tmp_path / "out").exists()


def test_fgsm_takes_the_settings_that_it_has(capsys, tmp_path) -> None:
    same = ("--fgsm", "--steps", "1", "--restarts", "1", "--keep", "last", "--no-random-start")
    same += ("--step-size", "8/255", "--rule", "plain", "--precision", "auto")
    status, _, err = run(capsys, *ATTACK, *same, "--out", str(tmp_path))
    assert status == 0, err


@pytest.mark.parametrize(
    ("more", "changes_nothing"),
    [
        ((), True),  # quick begins at the image
        (("--fgsm",), True),
        (("--steps", "3"), False),
    ],
)
def test_a_seed_that_changes_nothing_is_named(capsys, tmp_path, more, changes_nothing) -> None:
    results = []
    for seed in ("3", "4"):
        out = tmp_path / seed
        status, _, err = run(capsys, *ATTACK, *more, "--seed", seed, "--out", str(out))
        assert status == 0, err
        assert ("note: --seed changes nothing here" in err) == changes_nothing
        results.append((out / "adversarial.npy").read_bytes())
    assert (results[0] == results[1]) == changes_nothing


def test_options_are_known_however_they_are_written() -> None:
    parser = argparse.ArgumentParser()
    for flag in ("--steps", "--step-size", "--restarts", "--label"):
        parser.add_argument(flag)
    words = [
        "x",
        "--steps=3",
        "--step",
        "--rest",
        "3",
        "--label",
        "--lab el",
        "-1",
        "--",
        "--label",
    ]
    assert given_options(parser, words[:-3]) == {"--steps", "--restarts", "--label"}
    assert given_options(parser, ["--", "--label"]) == frozenset()
    assert given_options(parser, ["--debug"]) == frozenset()


def test_the_sentence_names_only_what_was_written(capsys) -> None:
    options = argparse.Namespace(given=frozenset(("--a", "--c")))
    with pytest.raises(UsageError, match=r"^why; leave out --a and --c$"):
        refuse_void(options, ("--a", "--b", "--c"), "why")
    refuse_void(options, ("--b",), "why")
    note_void(options, ("--b",), "why")
    assert not capsys.readouterr().err
    note_void(options, ("--a", "--c"), "why")
    assert capsys.readouterr().err == "note: --a and --c change nothing here: why\n"
