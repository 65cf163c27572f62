"""On request: whether the gradients of the whole gallery differ as those of one picture do."""

from __future__ import annotations

import streamlit as st

from explorer.experiments.features.gallery import (
    GalleryCorrelations,
    gallery_correlations,
    share_above,
)
from explorer.figures.captions import hundredths, percent
from explorer.images.gallery import samples
from explorer.ui.components.markdown import plain
from explorer.ui.features.controls import PAGE, FeaturesRequest
from explorer.ui.features.section_job import run_in_worker
from explorer.ui.jobs.job import Job
from explorer.ui.shared.attack_widgets import BIND

CHECK = f"{PAGE}gallery"
Answer = tuple[GalleryCorrelations, ...]


def gallery_check(request: FeaturesRequest, of: str) -> None:
    """A toggle, and below it the correlations for every sample of the first one's gallery."""
    first = request.models[request.names[0]]
    gallery = samples(first.gallery)
    asked = st.toggle(
        f"Is it so for other pictures? Compare the gradients of all {len(gallery)} sample pictures",
        key=CHECK,
        bind=BIND,
    )
    if not asked or not gallery:
        return

    def work(job: Job[Answer]) -> Answer:
        def count(done: int, total: int) -> None:
            job.progress = done, total

        pictures = [sample.read() for sample in gallery]
        return gallery_correlations(
            request.models, pictures, of=of, on_step=count, cancelled=job.next_step
        )

    question = (first.gallery, of)
    shown = run_in_worker(request, "features gallery", question, work, _doing)
    if shown.result is None or not shown.is_current:
        return
    st.markdown("\n".join(map(_line, shown.result)))
    sentences = _comparisons(shown.result)
    if sentences:
        st.markdown(" ".join(sentences))


def _doing(job: Job[Answer]) -> str:
    done, total = job.progress
    return f"Taking gradients: {done} of {total}" if total else "Reading the gallery"


def _line(each: GalleryCorrelations) -> str:
    """One classifier's values, as an item of a list."""
    return (
        f"- **{plain(each.title)}**: correlation of neighbouring pixels "
        f"{hundredths(each.mean)} on average, {hundredths(min(each.values))} to "
        f"{hundredths(max(each.values))} (n = {len(each.values)})"
    )


def _comparisons(answers: Answer) -> list[str]:
    """How often each robust classifier's value is above that of each standard one."""
    sentences: list[str] = []
    for one in answers:
        for other in answers:
            if one.robust and not other.robust:
                share = share_above(one, other)
                sentences.append(
                    f"{plain(one.title)} has the higher one on {share.count:,} of {share.n:,} "
                    f"pictures against {plain(other.title)} (95 % Wilson interval "
                    f"{percent(share.low)} to {percent(share.high)})."
                )
    return sentences
