"""The lab's section on the dispute: the two attacks, the words and their figures."""

from __future__ import annotations

import json
import re
import shlex

from explorer.classifiers.catalogue import bundled_cards
from explorer.experiments.measured import FOLDER
from explorer.figures.captions import percent
from explorer.ui.lab.dispute_figures import own_figures
from explorer.ui.lab.dispute_section import EXPERIMENT
from explorer.ui.lab.dispute_words import CLAIM, OBJECTIONS, QUESTIONS
from tests.ui.app import choose, open_page

PAGE = "../pages/lab.py"
FAST = {"lab_dispute_steps": "5", "lab_dispute_judges": "cifar10-robust"}


def test_it_is_the_first_section_and_shows_both_attacks() -> None:
    at = open_page(PAGE, **FAST)
    assert not at.error
    assert not at.warning
    (sentence,) = [each.value for each in at.markdown if "PGD fools" in each.value]
    assert re.search(r"on \d+ of \d+ images, the other attack on \d+", sentence)
    rows = at.dataframe[0].value.to_dict("records")
    assert [row["classifier"] for row in rows[:4]] == [
        *("CIFAR-10 standard", "CIFAR-10 trained on D"),
        *("CIFAR-10 trained on D, without augmentation", "CIFAR-10 robust"),
    ]
    ordinary, isolated = rows[:4], rows[4:8]
    for before, after in zip(ordinary[1:3], isolated[1:3], strict=True):
        fooled = [int(row["fooled"].split()[0]) for row in (before, after)]
        assert fooled[1] < fooled[0]  # the ensemble is spared
    words = shlex.split(at.code[-1].value)
    assert words[3] == "dispute"
    assert words[words.index("--judge") + 1] == "cifar10-robust"


def test_what_was_measured_beforehand_is_below_with_its_command() -> None:
    at = open_page(PAGE, **FAST)
    table = at.dataframe[1].value.to_dict("records")
    assert table[0]["classifier"] == "CIFAR-10 standard"
    assert re.fullmatch(r"\d+ of \d+", table[0]["fooled"])
    command = at.code[0].value
    assert command.startswith("python -m explorer dispute --model cifar10-standard")
    assert "--data train-lossless-2000.parquet" in command  # not where it was on that machine


def test_what_was_learned_from_each_attack_has_n_and_interval() -> None:
    at = open_page(PAGE, **FAST)
    table = at.dataframe[2].value.to_dict("records")
    assert [row["trained on"] for row in table][::2] == [
        "unchanged",
        "PGD's",
        "those built not to transfer",
    ]
    (row,) = [
        each
        for each in json.loads((FOLDER / "dispute_training.json").read_text("utf-8"))["rows"]
        if (each["attack"], each["label"]) == ("ordinary", "own")
    ]
    assert table[2]["share"] == percent(row["count"] / row["n"])
    assert own_figures()["learned_ordinary"].startswith(table[2]["share"])


def test_an_empty_ensemble_is_one_sentence_and_the_claim_stays() -> None:
    at = open_page(PAGE, **FAST, lab_dispute_model="efficientnet_lite0")
    if at.error:
        assert "No other classifier here takes the pictures" in at.error[0].value
    assert any("**The claim.**" in each.value for each in at.markdown)


def test_every_figure_of_our_own_is_that_of_a_card_or_of_a_measurement() -> None:
    figures = own_figures()
    names = set(re.findall(r"\{(\w+)\}", OBJECTIONS + QUESTIONS))
    assert names == set(figures)
    (row,) = [
        each
        for each in json.loads((FOLDER / "dispute.json").read_text(encoding="utf-8"))["rows"]
        if (each["attack"], each["model"]) == ("not to transfer", "cifar10-d_nr")
    ]
    assert figures["nr_isolated"].startswith(percent(row["fooled"] / row["n"]))
    card = bundled_cards()["cifar10-d_det"]
    clean = card.at(0.0)
    assert clean is not None
    assert figures["d_det"].startswith(f"{percent(clean.accuracy)} ({percent(clean.low)} to ")
    assert f"n = {clean.n:,}" in figures["d_det"]


def test_the_words_link_to_pages_that_are_there() -> None:
    from explorer.files import PAGES

    local = [link for link in re.findall(r"\]\(([^)]+)\)", QUESTIONS) if "://" not in link]
    assert len(local) >= 4
    for link in local:
        assert (PAGES / f"{link.partition('?')[0]}.py").is_file(), link


def test_a_mistake_keeps_the_controls_and_the_last_result() -> None:
    at = open_page(PAGE, **FAST)
    choose(at, "multiselect", "lab_dispute_ensemble", [])
    (error,) = at.error
    assert "one classifier or more for the ensemble" in error.value
    drawn = [each for each in at.main if each.type in ("markdown", "error", "expander")]
    kinds = [each.type for each in drawn]
    texts = [each.value for each in drawn[: kinds.index("error")]]
    assert [CLAIM.strip(), EXPERIMENT.strip()] == [text.strip() for text in texts[-2:]]
    assert at.slider(key="lab_dispute_steps").value == 5
    assert not open_page(PAGE, **FAST, lab_dispute_ensemble="").warning  # as the address has it
    assert any("PGD fools" in each.value for each in at.markdown)
    assert not [each for each in at.code if "lab_section" in each.value]  # no link to what is not
