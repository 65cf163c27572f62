"""Stop 4: an attacked picture beside one with random noise of the same size."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from explorer.experiments.evaluation.robust_accuracy import wilson
from explorer.experiments.noise_control import NoiseControl, noise_control
from explorer.experiments.one_image.recipe import format_epsilon
from explorer.experiments.one_image.report import AttackReport
from explorer.figures.captions import percent
from explorer.figures.comparison_table import fooled_draws
from explorer.figures.palette import ADVERSARIAL
from explorer.settings import MAX_SEED
from explorer.ui.components.markdown import plain
from explorer.ui.jobs.job import Job
from explorer.ui.overview.computed import computed
from explorer.ui.overview.example import small_example
from explorer.ui.overview.links import to_comparison
from explorer.ui.overview.places import Places
from explorer.ui.overview.questions import answer, ask
from explorer.ui.shared.attack_job import run_attack
from explorer.ui.shared.attack_request import AttackResponse
from explorer.ui.shared.classifiers import classifier, identity
from explorer.ui.shared.picture_cards import Card, picture_cards
from explorer.ui.shared.stored_value import stored_whole_number

LEVELS = 8.0
SEED = "tour_noise"  # in the session's state and the address: how often other noise was asked for
_LEFT, _RIGHT = "the left one", "the right one"


def show(places: Places) -> None:
    """Draw the stop."""
    example = small_example()
    seed = stored_whole_number(SEED, 0, MAX_SEED, 0)
    noise: NoiseControl | None = None
    with places.picture:
        with places.status:
            response = run_attack(example.attack(example.standard, LEVELS), "tour attack")
            if response is not None:
                noise = _noise(response, seed)
        pictures = st.container()
    if response is None or noise is None:
        return
    report = response.report
    is_attack_left = seed % 2 == 1
    chosen = ask("noise", "Which of the two changed pictures is attacked?", [_LEFT, _RIGHT])
    with pictures:
        picture_cards(_cards(report, noise, is_attack_left, chosen is not None), "tour noise")
        st.button("Draw other noise", key="other_noise", on_click=_draw_other, args=(seed,))
    answer(chosen, _LEFT if is_attack_left else _RIGHT, _explanation(report, noise))
    to_comparison(example, LEVELS)


def _draw_other(seed: int) -> None:
    st.session_state[SEED] = seed + 1


def _noise(response: AttackResponse, seed: int) -> NoiseControl | None:
    report = response.report
    model = classifier(report.recipe.model)
    drawn = replace(report, recipe=replace(report.recipe, seed=seed))

    def work(job: Job[NoiseControl]) -> NoiseControl:
        return noise_control(model, drawn, cancelled=job.next_step)

    key = (*response.request.key, identity(model), seed)
    return computed("tour noise", key, model, work, "Classifying random noise")


def _cards(
    report: AttackReport, noise: NoiseControl, is_attack_left: bool, is_answered: bool
) -> list[Card]:
    titles = ("left", "right")
    attacked = Card("", report.adversarial, report.after, colour=ADVERSARIAL)
    noisy = Card("", noise.image, noise.prediction, fooled_draws(noise))
    changed = [attacked, noisy] if is_attack_left else [noisy, attacked]
    cards = [Card("original", report.original, report.before)]
    for title, card in zip(titles, changed, strict=True):
        kind = "attacked" if card is attacked else "random noise"
        known = replace(card, title=f"{title}: {kind}")
        cards.append(known if is_answered else Card(title, card.image, None))
    return cards


def _explanation(report: AttackReport, noise: NoiseControl) -> str:
    size = format_epsilon(noise.linf, "linf")
    label = plain(report.names[report.label])
    low, high = wilson(noise.successes, noise.draws)
    text = (
        f"In both pictures values change by up to {size}. The attacked picture is called "
        f"“{plain(report.after.name)}”; {noise.successes} of {noise.draws} samples of random noise "
        f"made the classifier say anything but “{label}” (95 % Wilson interval {percent(low)} to "
        f"{percent(high)})."
    )
    does_nothing = report.success and noise.successes == 0
    return f"{text} It is the direction of the change that matters." if does_nothing else text
