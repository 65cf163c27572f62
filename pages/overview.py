"""What is this? One picture, attacked while you look, and the way in."""

import streamlit as st

from explorer.ui.shared.imports import wait_for_imports

st.title("Adversarial Explorer")
st.markdown(
    "A picture, a small change, and the same picture again: to a person nothing has happened, to a classifier it shows "
    "something else. The attack below ran as this page opened."
)
place = st.container(key="first")
wait_for_imports("picture")

from explorer.classifiers import ClassifierError  # noqa: E402
from explorer.figures.captions import attack_caption  # noqa: E402
from explorer.images.decode import ImageError  # noqa: E402
from explorer.ui.overview.landing_example import landing_example  # noqa: E402
from explorer.ui.shared.attack_job import ask  # noqa: E402
from explorer.ui.shared.explanation import why  # noqa: E402
from explorer.ui.shared.triptych import triptych  # noqa: E402
from explorer.ui.shared.words import badge  # noqa: E402

try:
    (entry, question), *others = landing_example()
except (ClassifierError, ImageError) as error:
    st.error(str(error))
    st.stop()

with place:
    answer = ask(question, "overview")
    if answer is not None:
        triptych(answer, "overview")
        report = answer.report
        words = attack_caption(
            report.recipe, None if report.target is None else report.names[report.target]
        )
        st.markdown(f"{badge(entry)} :small[{entry.title} · {question.picture.title} · {words}]")

with st.container(horizontal=True):
    if st.button("Attack an image yourself", type="primary", icon=":material/bolt:", key="enter"):
        st.switch_page("../pages/attack.py")
    if st.button("See what a classifier has learned", icon=":material/compare:", key="enter_data"):
        st.switch_page("../pages/datasets.py")
why("overview_formula")

for entry, question in others if answer is not None else ():
    st.markdown(
        f"{badge(entry)} The same picture and the same ε, on a classifier that was trained on attacked pictures:"
    )
    second = ask(question, f"overview {entry.name}")
    if second is not None:
        triptych(second, f"overview {entry.name}")
