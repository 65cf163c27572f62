"""The section of layers: where an attack leaves the path of the clean picture."""

from __future__ import annotations

from collections.abc import Hashable

import streamlit as st

from explorer.experiments.features.layers import (
    DRAWS,
    PARTING,
    ClassifierLayers,
    compare_layers,
    layers_command,
    layers_recipe,
)
from explorer.experiments.one_image.recipe import Recipe
from explorer.figures.series import classifier_colours
from explorer.figures.tile_rows import Tile, TileRow, predicted_tile
from explorer.images.distances import magnification, perturbation_image
from explorer.ui.components.plot import draw_plot
from explorer.ui.features.controls import PAGE, FeaturesRequest
from explorer.ui.features.picture_rows import picture_rows
from explorer.ui.features.section_exports import section_exports, source_on_command_line
from explorer.ui.features.section_job import run_in_worker
from explorer.ui.jobs.job import Job
from explorer.ui.shared.attack_widgets import choose_seed, l2_range
from explorer.ui.shared.imports import wait_for_imports
from explorer.ui.shared.linked_widgets import linked_slider

EPSILON, SEED = f"{PAGE}layers_l2", f"{PAGE}layers_seed"
LINKED = (EPSILON, SEED)
_LEAD = (
    "An attack and random noise change the picture by the same length (L2). Inside the network, "
    "layer by layer: how far does each lead away from the unchanged picture?"
)
_EXPLANATION = f"""
For each layer the chart shows how far its outputs (activations) are from those of the unchanged
picture: the length (L2) of the difference, relative to the length of the unchanged ones. The attack
and the noise begin equally far away. Most noise is averaged out on its way; an attack grows, as it
was made to.

“The paths part” marks the first layer from which on the adversarial picture stays at least
{PARTING:g} times as far away as the farthest of {DRAWS} samples of noise. The band is the range of
these samples. Some of the layers are named below the chart, the others where you point at them.
"""
Answer = tuple[ClassifierLayers, ...]


def draw(request: FeaturesRequest) -> Hashable | None:
    """Draw the section; the key of its question once the answer is on the page."""
    st.markdown(_LEAD)
    recipe = _choose(request)

    def work(job: Job[Answer]) -> Answer:
        def count(done: int, total: int) -> None:
            job.progress = done, total

        return compare_layers(
            request.models, request.picture.image, recipe, on_step=count, cancelled=job.next_step
        )

    question = recipe.to_json()
    shown = run_in_worker(request, "features layers", question, work, _doing)
    if shown.result is None:
        return None
    _columns(shown.result)
    with st.expander("How to read the charts", icon=":material/help:"):
        st.markdown(_EXPLANATION)
    if not shown.is_current:
        return None
    _exports(request, shown.result)
    return question


def _choose(request: FeaturesRequest) -> Recipe:
    model = request.models[request.names[0]]
    default, largest, step = l2_range(model.input_size)
    left, right = st.columns(2)
    with left:
        epsilon = linked_slider(
            "ε: length of the change (L2)",
            step,
            largest,
            default,
            step=step,
            format="%.2f",
            key=EPSILON,
        )
    with right:
        seed = choose_seed(
            "The same seed gives the same start of the attack and the same noise.", f"{PAGE}layers_"
        )
    return layers_recipe(request.picture.source, request.names[0], float(epsilon), seed=seed)


def _doing(job: Job[Answer]) -> str:
    done, total = job.progress
    return f"Attacking: step {done} of {total}" if done < total else "Following the layers"


def _row(each: ClassifierLayers) -> TileRow:
    report = each.report
    delta = report.adversarial - report.original
    change = Tile(
        f"change, magnified {magnification(delta):.3g} ×",
        perturbation_image(delta),
        notes=(f"L2 {report.l2:.3g}", "the noise is as long"),
    )
    tiles = (
        predicted_tile("picture", report.original, report.before),
        change,
        predicted_tile("adversarial picture", report.adversarial, report.after),
    )
    last = each.layers[-1]
    parting = (
        f"In no layer does the attack stay {PARTING:g} times as far away as noise."
        if each.parting is None
        else f"From the layer “{each.parting.name}” on, the attack stays {PARTING:g} times as far "
        "away as noise."
    )
    sentence = (
        f"{parting} In the scores of the classes (logits) its relative distance is "
        f"{last.adversarial:.2f}, that of noise {last.mean_noise:.2f}."
    )
    return TileRow(each.title, each.robust, sentence, tiles)


def _columns(answers: Answer) -> None:
    """Each classifier's pictures above its chart, two classifiers beside each other."""
    places = [place for _ in range(0, len(answers), 2) for place in st.columns(2)]
    colours = classifier_colours(each.robust for each in answers)
    for index, (each, place) in enumerate(zip(answers, places, strict=False)):
        with place:
            picture_rows([_row(each)], f"features layers {index}", colours[index])
    wait_for_imports("charts")
    from explorer.figures.layer_charts import DISTANCE, layers_chart, top_of

    top = top_of(answers)
    for index, (each, place) in enumerate(zip(answers, places, strict=False)):
        with place:
            draw_plot(
                layers_chart(each, top, colours[index]),
                key=f"features layers chart {index}",
                alt=f"{each.title}: {DISTANCE}, layer by layer, for the attack and for noise",
            )
    st.caption("All charts have the same scale. The first layer is the picture itself.")


def _exports(request: FeaturesRequest, answers: Answer) -> None:
    def build() -> dict[str, bytes]:
        from explorer.figures.layer_files import layer_files

        return layer_files(answers)

    command = layers_command(answers, source_on_command_line(request))
    section_exports(request, LINKED, "layers", build, [command])
