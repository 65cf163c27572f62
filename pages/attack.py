"""What does it take to fool this classifier on this picture?"""

import streamlit as st

from explorer.ui.shared.imports import wait_for_imports
from explorer.ui.shared.mobile import mobile_hint

st.title("Attack an image")
mobile_hint()
notice = st.container(key="notice")
results = st.container(key="results")
wait_for_imports("picture")

from explorer.classifiers import ClassifierError  # noqa: E402
from explorer.images.decode import ImageError  # noqa: E402
from explorer.ui.attack.controls import choose_attack, choose_classifier  # noqa: E402
from explorer.ui.attack.exports import exports  # noqa: E402
from explorer.ui.attack.full_photo import full_photo  # noqa: E402
from explorer.ui.attack.notices import notices  # noqa: E402
from explorer.ui.attack.scrubber import scrubber  # noqa: E402
from explorer.ui.shared.attack_job import ask  # noqa: E402
from explorer.ui.shared.attack_request import AttackRequest  # noqa: E402
from explorer.ui.shared.classifiers import entries, load_for_page  # noqa: E402
from explorer.ui.shared.explanation import why  # noqa: E402
from explorer.ui.shared.triptych import triptych  # noqa: E402

answer = beside = None
try:
    with st.sidebar:
        model = load_for_page(choose_classifier(entries()))
        chosen = choose_attack(model)
    with notice:
        answer = ask(AttackRequest(chosen.picture, chosen.recipe), "attack")
        if chosen.fgsm_beside:
            beside = ask(AttackRequest(chosen.picture, chosen.recipe.fgsm()), "attack fgsm")
except (ClassifierError, ImageError) as error:
    notice.error(str(error))

if answer is not None:
    with results:
        if beside is not None:
            st.subheader("FGSM: one full step")
            triptych(beside, "triptych fgsm")
            st.subheader(f"PGD: {answer.report.recipe.steps} small steps")
        triptych(answer, "triptych")
        notices(answer)
        wait_for_imports("charts")
        from explorer.figures.charts import top_k_bars

        bars, steps = st.columns(2, gap="large")
        with bars:
            st.subheader("Before and after")
            chart = top_k_bars(answer.report)
            st.plotly_chart(
                chart,
                key="bars",
                alt="probability of the most probable classes, before and after the attack",
            )
        with steps:
            st.subheader("Step by step")
            scrubber(answer.report, answer.film, "scrubber")
        full_photo(answer)
        why("formula")
        st.subheader("Take it with you")
        exports(answer)
