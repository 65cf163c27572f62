"""What does it take to fool this classifier on this picture?"""

import streamlit as st

from explorer.ui.phone import where_controls_are
from explorer.ui.startup import ready

st.title("Attack an image")
where_controls_are()
notice = st.container(key="notice")
results = st.container(key="results")
ready("picture")

from explorer.classifiers import ClassifierError  # noqa: E402
from explorer.images.decode import ImageError  # noqa: E402
from explorer.ui.controls import choose_attack, choose_classifier  # noqa: E402
from explorer.ui.explain import why  # noqa: E402
from explorer.ui.exports import exports  # noqa: E402
from explorer.ui.models import classifier, entries  # noqa: E402
from explorer.ui.notices import notices  # noqa: E402
from explorer.ui.question import Question  # noqa: E402
from explorer.ui.results import ask  # noqa: E402
from explorer.ui.scrubber import scrubber  # noqa: E402
from explorer.ui.triptych import triptych  # noqa: E402

answer = None
try:
    with st.sidebar:
        model = classifier(choose_classifier(entries()))
        picture, recipe = choose_attack(model)
    with notice:
        answer = ask(Question(picture, recipe), "attack")
except (ClassifierError, ImageError) as error:
    notice.error(str(error))

if answer is not None:
    with results:
        triptych(answer.report, "triptych")
        notices(answer)
        ready("charts")
        from explorer.figures.charts import top_k_bars

        bars, steps = st.columns(2, gap="large")
        with bars:
            st.subheader("Before and after")
            chart = top_k_bars(answer.report)
            st.plotly_chart(chart, key="bars", alt="probability of the most probable classes, before and after the attack")
        with steps:
            st.subheader("Step by step")
            scrubber(answer.report, answer.film, "scrubber")
        why("formula")
        st.subheader("Take it with you")
        exports(answer)
