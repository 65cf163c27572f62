"""``bench``: one JSON object, a table, or one line and status 2 for a mistake."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch

from explorer.benchmarks import catalogue, strength
from explorer.benchmarks.baselines import Baseline
from explorer.benchmarks.scaling import Cost, measure_costs
from explorer.benchmarks.speed import Case, Measurement
from explorer.cli import benchmark as command
from explorer.cli import benchmark_strength
from explorer.errors import UserError
from tests.benchmarks.figure import draw
from tests.benchmarks.table import table
from tests.cli.running import run
from tests.threads import threads

STRENGTH = ["--to-strength", "--model", "cifar10-standard", "--device", "cpu", "--limit", "2"]
STRENGTH += ["--peer-steps", "3", "--norm", "linf"]
QUICK = ["--model", "cifar10-standard", "--device", "cpu"]
QUICK += ["--batch", "1", "2", "--steps", "1", "--rounds", "1"]

CATALOGUE = ["--model", "tiny12-standard", "--precision", "folded"]


@pytest.fixture(autouse=True)
def two_libraries(monkeypatch):
    """Two libraries in place of those that happen to be installed, and no matrix products."""
    identity = Baseline("identity", ("torch",), lambda *_: lambda images, labels: images)
    absent = Baseline("absent", ("no_such_package",), lambda *_: None)
    monkeypatch.setattr(command, "BASELINES", (identity, absent))
    monkeypatch.setattr(command, "matrix_peaks", lambda device: {"float32": 1e11, "bfloat16": 4e11})


def test_json_is_one_object_with_every_case(capsys):
    status, out, err = run(capsys, "bench", *QUICK, "--peers", "--json")
    assert status == 0, err
    values = json.loads(out)
    assert [(case["model"], case["batch"]) for case in values["cases"]] == [
        ("cifar10-standard", 1),
        ("cifar10-standard", 2),
    ]
    assert values["peaks"]["bfloat16"] == 4e11
    for case in values["cases"]:
        ours, identity, absent = case["measured"]
        assert (ours["name"], identity["name"]) == ("explorer", "identity")
        assert absent == {"name": "absent", "problem": "not installed"}
        assert set(identity) >= {"seconds", "success", "loss", "ratio", "excess"}
        # It returns the original images, whose labels are the classifier's predictions.
        assert identity["success"] == 0
        assert ours["loss"] > identity["loss"]
        assert case["random_weights"] is False
        assert case["share_of_peak"] == pytest.approx(case["flops"] / case["peak"])
        assert case["setting"]["steps"] == 1
        assert case["prepared_in"] >= 0
    head, _, *rows = table([values]).splitlines()
    columns = "classifier, batch | threads | ms a step, ours | of the peak | identity | absent"
    assert head == f"| {columns} |"
    threads = str(values["machine"]["threads"])
    assert [row.split(" | ")[:2] for row in rows] == [
        [f"| `cifar10-standard`, {batch} (1 steps)", threads] for batch in (1, 2)
    ]
    assert all(
        row.endswith(f"{case['measured'][1]['ratio'][1]:.2f} | – |")
        for row, case in zip(rows, values["cases"], strict=True)
    )


def test_the_table_names_every_library(capsys):
    status, out, _ = run(capsys, "bench", *QUICK, "--peers", "--threads", "1")
    assert status == 0
    assert out.count("identity") == out.count("explorer") == 2
    assert "not installed" in out
    assert "prepared in" in out
    assert "of the peak" in out
    assert "random weights" not in out


def test_without_peers_only_ours_is_measured(capsys):
    _, out, _ = run(capsys, "bench", *QUICK, "--json")
    assert [[each["name"] for each in case["measured"]] for case in json.loads(out)["cases"]] == [
        ["explorer"]
    ] * 2


def test_the_table_says_that_weights_are_random(capsys, monkeypatch):
    real = command.load_model
    monkeypatch.setattr(
        command, "load_model", lambda *arguments: replace(real(*arguments), random=True)
    )
    _, out, err = run(capsys, "bench", *QUICK)
    assert out.count("success and loss mean nothing") == 2
    assert "random weights" in err


def test_the_number_of_threads_is_restored(capsys):
    with threads(2):
        _, out, _ = run(capsys, "bench", *QUICK, "--threads", "1", "--json")
        assert json.loads(out)["machine"]["threads"] == 1
        assert torch.get_num_threads() == 2


def test_scaling(capsys, monkeypatch):
    measured: list[tuple[Cost, ...]] = []

    def measure_once(*arguments) -> tuple[Cost, ...]:
        """The costs of the JSON object are those of the table, too."""
        if not measured:
            measured.append(measure_costs(*arguments))
        return measured[0]

    monkeypatch.setattr(command, "measure_costs", measure_once)
    status, out, err = run(capsys, "bench", *QUICK, "--scaling", "--json")
    assert status == 0, err
    (model,) = json.loads(out)["models"]
    assert {cost["what"] for cost in model["costs"]} == {
        "epsilons",
        "epsilons, until fooled",
        "restarts",
        "restarts, until fooled",
        "steps",
        "batch",
        "side",
    }
    assert [row["batch"] for row in model["memory"]] == [1, 2]
    times = {"new": {"total": 300.0}, "from cache": {"total": 150.0}}
    page = {"model": "tiny12-standard", "milliseconds by people": {"1": times, "2": times}}
    figure = draw(json.loads(out), page)
    assert len(figure.axes) == 6
    relative = figure.axes[3]
    assert [bar.get_height() for bar in relative.patches] == [
        cost["ratio"][1]
        for what in ("epsilons", "epsilons, until fooled", "restarts", "restarts, until fooled")
        for cost in model["costs"]
        if cost["what"] == what and cost["value"] > 1
    ]
    status, out, _ = run(capsys, "bench", *QUICK, "--scaling")
    assert status == 0
    assert "epsilons, until fooled     12" in out
    assert "images evaluated at once" in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--rounds", "0"], "--rounds: it must be a whole number from 1"),
        (["--batch", "1", "0"], "--batch: it must be a whole number from 1"),
        (["--batch", "1", "1000000"], "--batch: it must be a whole number from 1 to 10,000"),
        (["--steps", "-2"], "--steps: it must be a whole number from 1"),
        (["--threads", "0"], "--threads: it must be a whole number from 1"),
        (["--epsilon", "0"], "--epsilon must be above 0"),
        (["--epsilon", "2"], "--epsilon must be above 0 and at most 1"),
        (["--weights", "x.pth"], "--weights belongs to one --model"),
        (["--model", "cifar10-standard", "--weights", "no-such.pth"], "there is no file"),
        (["--model", "no-such"], "there is no classifier"),
        (["--peers", "--scaling"], "--scaling measures our attack alone"),
    ],
)
def test_a_mistake_is_one_line(capsys, arguments, words):
    status, out, err = run(capsys, "bench", "--device", "cpu", *arguments)
    assert status == 2
    assert out == ""
    assert words in err
    assert len(err.strip().splitlines()) == 1


def test_to_strength_compares_steps_and_time(capsys, monkeypatch):
    plain = Baseline("torchattacks", ("torch",), lambda *_: lambda pixels, classes: pixels)
    absent = Baseline("foolbox", ("no_such_package",), lambda *_: None)
    monkeypatch.setattr(benchmark_strength, "BASELINES", (plain, absent))
    monkeypatch.setattr(strength, "MOST_STEPS", 5)
    monkeypatch.setattr(strength, "SHOWN_STEPS", (1, 5))
    status, out, err = run(capsys, "bench", *STRENGTH, "--json")
    assert status == 0, err
    cases = json.loads(out)["cases"]
    assert [case["targeted"] for case in cases] == [False, True]
    for case in cases:
        assert (case["norm"], case["epsilon"], case["images"]) == ("linf", 1 / 255, 2)
        unchanged, missing = case["peers"]
        assert unchanged["strength"]["success"] == 0
        for ours in unchanged["ours"].values():
            assert ours["steps"] == 1
            assert ours["strength"]["loss"] > unchanged["strength"]["loss"]
            assert ours["ratio"] > 0
        assert missing == {"name": "foolbox", "steps": 3, "problem": "not installed"}
        for curve in case["ours"].values():
            losses = [each["loss"] for each in curve]
            assert losses[-1] == max(losses)
    status, out, _ = run(capsys, "bench", *STRENGTH, "--aim", "targeted", "--epsilon", "2/255")
    assert status == 0
    assert "L∞ ε = 2/255, targeted: 2 images of the sample pictures" in out
    assert "not installed" in out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--peers"], "run bench twice"),
        (["--limit", "0"], "--limit: it must be a whole number from 1"),
        (["--peer-steps", "0"], "--peer-steps: it must be a whole number from 1"),
        (["--norm", "l2", "--epsilon-l2", "0"], "--epsilon-l2 must be above 0"),
        (["--data", "no/such.parquet"], "no/such.parquet"),
    ],
)
def test_to_strength_says_what_is_wrong(capsys, arguments, sentence):
    status, out, err = run(capsys, "bench", *STRENGTH, *arguments)
    assert status == 2
    assert sentence in err
    assert out == ""


CTRL_C, FAILURE = (KeyboardInterrupt(), 130, "stopped"), (UserError("no"), 2, "bench: no")
SCALING = ["--scaling", *QUICK, "--model", "tiny12-standard"]
BOTH_AIMS = [*STRENGTH, "--aim", "targeted", "untargeted"]


def quick_case(classifier, batch, setting, *_, **options):
    """A case for which nothing is measured."""
    ours = Measurement("explorer", (0.1,), 0.5, 1.0, 0.0, (1.0, 1.0, 1.0))
    return Case(classifier.name, batch, setting, "folded", 0.0, 1e9, 2e9, (ours,))


def failing_at(number, function, error):
    """``function``, which raises ``error`` when it is called for the time ``number``."""
    calls = iter(range(1, number + 1))

    def call(*arguments, **options):
        if next(calls) == number:
            raise error
        return function(*arguments, **options)

    return call


@pytest.mark.parametrize(
    ("module", "function", "options", "rows", "stop"),
    [
        (command, "measure", QUICK, "cases", CTRL_C),
        (command, "measure", QUICK, "cases", FAILURE),
        (command, "measure_memory", SCALING, "models", FAILURE),
        (catalogue, "gradient_flops", [*QUICK, "--catalogue", *CATALOGUE], "rows", CTRL_C),
        (strength, "_compare", BOTH_AIMS, "cases", CTRL_C),
    ],
)
def test_what_is_done_is_printed_when_it_stops(
    capsys, monkeypatch, module, function, options, rows, stop
):
    """The first row is whole; the second fails, or a signal stops it."""
    error, status, last = stop
    if module is strength:
        libraries = tuple(
            Baseline(name, ("no_such",), lambda *_: None) for name in ("art", "foolbox")
        )
        monkeypatch.setattr(benchmark_strength, "BASELINES", libraries)
        monkeypatch.setattr(strength, "MOST_STEPS", 2)
        monkeypatch.setattr(strength, "SHOWN_STEPS", (1, 2))
    monkeypatch.setattr(command, "measure", quick_case)
    for measurement in ("measure_memory", "measure_costs"):
        monkeypatch.setattr(command, measurement, lambda *_: ())
    for as_json in (True, False):
        number = 4 if module is strength else 2
        real = getattr(module, function)
        with monkeypatch.context() as patch:
            patch.setattr(module, function, failing_at(number, real, error))
            ended, out, err = run(capsys, "bench", *options, *["--json"] * as_json)
        assert (ended, err.splitlines()[-1].endswith(last)) == (status, True), err
        part = "partial: it was ended when " + ("2 of 2" if module is strength else "1 of 2")
        if as_json:
            values = json.loads(out)
            assert values["partial"] == f"{part} had results"
            assert len(values[rows]) == (2 if module is strength else 1)
        else:
            assert out.splitlines()[-1] == f"{part} had results"
            assert "cifar10-standard" in out


def test_a_wrong_name_costs_no_row_before_it_and_alone_prints_nothing(capsys, monkeypatch):
    monkeypatch.setattr(command, "measure", quick_case)
    status, out, err = run(capsys, "bench", *QUICK, "--model", "no-such", "--json")
    assert (status, "there is no classifier" in err) == (2, True)
    assert json.loads(out)["partial"] == "partial: it was ended when 2 of 4 had results"
    status, out, _ = run(capsys, "bench", "--device", "cpu", "--model", "no-such", "--json")
    assert (status, out) == (2, "")
