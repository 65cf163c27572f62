"""Stop 7: the attack on one classifier shown to another, and what the dispute is about."""

from __future__ import annotations

import streamlit as st
import torch
from streamlit.delta_generator import DeltaGenerator

from explorer.classifiers import Entry
from explorer.experiments.one_image.attack_image import predict
from explorer.experiments.one_image.report import Prediction
from explorer.experiments.sweep.image_set import GALLERY, read_image_sets
from explorer.experiments.sweep.set_attack import SetAttack
from explorer.experiments.sweep.transfer import TransferCell, transfer_matrix
from explorer.figures.captions import confidence_text, percent
from explorer.figures.palette import ADVERSARIAL
from explorer.figures.series import classifier_colours
from explorer.files import PAGES
from explorer.ui.components.markdown import plain
from explorer.ui.jobs.job import Job
from explorer.ui.overview.computed import computed
from explorer.ui.overview.example import small_example
from explorer.ui.overview.places import Places
from explorer.ui.overview.questions import answer, ask
from explorer.ui.shared.address import open_page
from explorer.ui.shared.attack_job import run_attack
from explorer.ui.shared.attack_request import AttackResponse
from explorer.ui.shared.classifiers import classifier, entries, identity
from explorer.ui.shared.link_words import allow
from explorer.ui.shared.picture_cards import Card, picture_cards

LEVELS = ("4/255", "8/255", "16/255")
FIRST_LEVELS = "8/255"
STEPS = 10  # of the attack on the sample pictures
OTHER = "cifar10-d"  # the same architecture, trained on 10,000 of the pictures from another start
_YES, _NO = "yes", "no"
# The pages that go on from here, those of them that this version has, and their questions.
_PAGES: tuple[tuple[str, str, str, dict[str, str]], ...] = (
    ("lab", "Attacks that do not transfer, and other experiments", ":material/science:", {}),
    ("features", "What a classifier looks for", ":material/search:", {}),
    ("gaussians", "The theory: two Gaussians", ":material/scatter_plot:", {}),
    (
        "curves",
        "How often attacks transfer",
        ":material/show_chart:",
        {"curves_question": "Transfer between classifiers"},
    ),
)
CLAIM = (
    "Ilyas et al. (2019) conclude that adversarial examples are features: patterns that hold on "
    "new pictures too, though you do not see them. Nakkiran (2019) builds others that hardly "
    "transfer and teach a network only what people see anyway: those are bugs."
)


def show(places: Places) -> None:
    """Draw the stop."""
    example, other = small_example(), _other()
    with places.picture:
        allow("tour_transfer", LEVELS)
        text = st.segmented_control(
            "ε, the largest change of a value",
            LEVELS,
            default=FIRST_LEVELS,
            required=True,
            key="tour_transfer",
            bind="query-params",
            persist_state="session",
        )
        levels = float(str(text).partition("/")[0])
        with places.status:
            response = run_attack(example.attack(example.standard, levels), "tour transfer")
        pictures = st.container()
    if response is None:
        return
    if other is not None and other.name != example.standard.name:
        with pictures:
            cards = st.empty()
        chosen = ask(
            "transfer",
            "This picture was made to fool the first classifier. Does it fool the second one too?",
            [_YES, _NO],
        )
        _show_transfer(cards, places.status, response, (example.standard, other), levels, chosen)
    st.markdown(CLAIM)
    _ways_on()


def _other() -> Entry | None:
    """A classifier that was trained separately on the same data, if this machine has it."""
    return entries().get(OTHER)


def _show_transfer(
    place: DeltaGenerator,
    status: DeltaGenerator,
    response: AttackResponse,
    pair: tuple[Entry, Entry],
    levels: float,
    chosen: str | None,
) -> None:
    report = response.report
    before, after = predict(
        classifier(pair[1].name), torch.stack([report.original, report.adversarial])
    )
    fooled = before.index == report.label != after.index
    with place.container():
        picture_cards(_cards(response, pair, after, chosen is not None), "tour transfer cards")
    with status:
        cell = _count(pair, levels) if chosen is not None else None
    name = plain(after.name)
    text = f"The second classifier says “{name}”, at {confidence_text(after.confidence)}."
    if cell is not None and cell.rate is not None:
        text += (
            f" Of the {cell.n:,} sample pictures that both get right, the attack on the first "
            f"fools the second on {percent(cell.rate)} (95 % Wilson interval {percent(cell.low)} "
            f"to {percent(cell.high)}; {STEPS} steps)."
        )
    answer(chosen, _YES if fooled else _NO, text)


def _cards(
    response: AttackResponse, pair: tuple[Entry, Entry], after: Prediction, is_answered: bool
) -> list[Card]:
    report = response.report
    cards = [Card("original", report.original, report.before)]
    answers = report.after, after if is_answered else None
    frames = classifier_colours(entry.robust for entry in pair)
    for entry, says, frame in zip(pair, answers, frames, strict=True):
        is_first = entry is pair[0]
        colour = ADVERSARIAL if says is not None and says.index != report.label else None
        cards.append(
            Card(
                "attacked" if is_first else "the same picture",
                report.adversarial,
                says,
                "made to fool this one" if is_first else "trained separately",
                colour,
                entry.title,
                frame,
            )
        )
    return cards


def _count(pair: tuple[Entry, Entry], levels: float) -> TransferCell | None:
    """How often the attack on the first classifier fools the second, over the sample pictures."""
    models = [classifier(entry.name) for entry in pair]

    def work(job: Job[TransferCell]) -> TransferCell:
        sets = read_image_sets(GALLERY, models)

        def count(done: int, total: int) -> None:
            job.progress = done, total

        return transfer_matrix(
            models,
            [each.data for each in sets],
            SetAttack("linf", steps=STEPS),
            levels / 255,
            rows=[0],
            on_progress=count,
            cancelled=job.next_step,
        )[1]

    key = (levels, *map(identity, models))
    return computed("tour transfers", key, models[0], work, "Attacking all sample pictures")


def _ways_on() -> None:
    with st.container(horizontal=True, key="tour-ways"):
        for name, label, icon, question in _PAGES:
            exists = (PAGES / f"{name}.py").exists()
            if exists and st.button(label, icon=icon, key=f"to_{name}"):
                open_page(name, question)
