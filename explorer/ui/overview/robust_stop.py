"""Stop 5: the same attack on a standard and on a robust classifier."""

from __future__ import annotations

import streamlit as st

from explorer.classifiers import Entry
from explorer.experiments.one_image.recipe import format_epsilon
from explorer.figures.captions import confidence_text
from explorer.figures.palette import OUTCOME_MARKS, ROBUST, STANDARD
from explorer.ui.components.markdown import plain
from explorer.ui.overview.example import small_example
from explorer.ui.overview.links import to_comparison
from explorer.ui.overview.places import Places
from explorer.ui.overview.questions import answer, ask
from explorer.ui.shared.attack_job import run_attack
from explorer.ui.shared.attack_request import AttackResponse
from explorer.ui.shared.link_words import allow
from explorer.ui.shared.picture_cards import Card, picture_cards

LEVELS = ("2/255", "4/255", "8/255", "16/255")
FIRST_LEVELS = "2/255"
_OTHER = "another class"


def show(places: Places) -> None:
    """Draw the stop."""
    example = small_example()
    pair = example.pair
    with places.picture:
        allow("tour_epsilon", LEVELS)
        text = st.segmented_control(
            "ε, the largest change of a value",
            LEVELS,
            default=FIRST_LEVELS,
            required=True,
            key="tour_epsilon",
            bind="query-params",
            persist_state="session",
        )
        levels = float(str(text).partition("/")[0])
        with places.status:
            responses = [run_attack(example.attack(each, levels), _place(each)) for each in pair]
        pictures = st.container()
    standard, robust = responses
    if standard is None or robust is None:
        return
    label = robust.report.names[robust.report.label]
    chosen = ask(
        "robust", "The same attack on the robust classifier: what will it say?", [label, _OTHER]
    )
    says = robust.report.after.name
    with pictures:
        original = Card("original", standard.report.original, standard.report.before)
        cards = [original, _card(standard, pair[0], is_shown=True)]
        cards.append(_card(robust, pair[1], is_shown=chosen is not None))
        picture_cards(cards, "tour robust")
    answer(chosen, label if says == label else _OTHER, _explanation(standard, robust))
    to_comparison(example, levels)


def _place(entry: Entry) -> str:
    return f"tour robust {entry.robust}"


def _card(response: AttackResponse, entry: Entry, *, is_shown: bool) -> Card:
    report = response.report
    return Card(
        "attacked",
        report.adversarial,
        report.after if is_shown else None,
        OUTCOME_MARKS[report.outcome].word if is_shown else "",
        OUTCOME_MARKS[report.outcome].colour if is_shown else None,
        response.classifier_title,
        ROBUST if entry.robust else STANDARD,
    )


def _explanation(standard: AttackResponse, robust: AttackResponse) -> str:
    sentences = []
    for kind, response in (("standard", standard), ("robust", robust)):
        report = response.report
        before, after = (
            confidence_text(float(each.probabilities[report.label]))
            for each in (report.before, report.after)
        )
        label = plain(report.names[report.label])
        sentences.append(
            f"the {kind} classifier's confidence in “{label}” goes from {before} to {after}"
        )
    text = f"At the same ε {' and '.join(sentences)}."
    is_largest = format_epsilon(standard.report.recipe.epsilon, "linf") == LEVELS[-1]
    return text if is_largest else f"{text} Try a larger ε, and see whether that holds."
