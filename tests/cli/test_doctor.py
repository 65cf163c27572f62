"""``doctor``: the machine, the forms of the classifiers, and what ``--tune`` keeps."""

from __future__ import annotations

import json

import pytest
import torch

from explorer.classifiers.catalogue import bundled_cards
from explorer.engine import measurement
from tests.cli.running import run

MODEL = ("--model", "cifar10-standard", "--device", "cpu")


@pytest.fixture(autouse=True)
def empty_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("EXPLORER_CACHE", str(tmp_path))
    for name in ("MIN_ROUNDS", "MAX_ROUNDS"):
        monkeypatch.setattr(measurement, name, 1)


def test_it_shows_the_machine_and_every_bundled_classifier(capsys, tmp_path):
    status, out, err = run(capsys, "doctor", "--device", "cpu")
    assert status == 0, err
    lines = [line.split() for line in out.splitlines()]
    assert ["torch", torch.__version__] in lines
    assert ["cache", "folder", str(tmp_path)] in lines
    forms = {line[0]: line[1] for line in lines}
    assert {forms[name] for name in bundled_cards()} <= {"float32", "folded", "bfloat16"}


def test_what_is_measured_is_the_choice_until_it_is_forgotten(capsys, tmp_path):
    status, out, err = run(capsys, "doctor", "--tune", "--json", *MODEL)
    assert status == 0, err
    (measured,) = json.loads(out)["models"]
    assert measured["reason"] == "measured here by doctor --tune"
    assert set(measured["milliseconds"]["float32"]) == {"1", "8"}
    _, out, _ = run(capsys, "doctor", "--json", *MODEL)
    (later,) = json.loads(out)["models"]
    assert (later["precision"], later["reason"]) == (measured["precision"], measured["reason"])
    _, out, err = run(capsys, "doctor", "--forget", "--json", *MODEL)
    assert "forgot 1 measured classifier\n" in err
    assert "doctor" not in json.loads(out)["models"][0]["reason"]
    assert not list((tmp_path / "tuning").iterdir())


def test_the_times_are_part_of_the_text(capsys):
    status, out, err = run(capsys, "doctor", "--tune", *MODEL)
    assert status == 0, err
    assert " ms for 1 and 8 images" in out.splitlines()[-1]
    assert out.splitlines()[-1].strip().startswith("float32 ")


def test_the_setting_is_the_reason(capsys, monkeypatch):
    monkeypatch.setenv("EXPLORER_PRECISION", "folded")
    _, out, _ = run(capsys, "doctor", *MODEL)
    assert out.splitlines()[-1].split(maxsplit=2)[1:] == ["folded", "EXPLORER_PRECISION says so"]


def test_a_mistake_is_one_line(capsys):
    for arguments, words in (
        (("--tune", "--forget"), "exclude each other"),
        (("--model", "cifar10-zebra"), "there is no classifier"),
    ):
        status, out, err = run(capsys, "doctor", *arguments)
        assert (status, out) == (2, "")
        assert words in err
        assert len(err.strip().splitlines()) == 1
