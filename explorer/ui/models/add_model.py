"""Add a classifier: weights for one of torchvision's architectures, or a Python function."""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path

import streamlit as st

from explorer.classifiers import ClassifierError
from explorer.classifiers.entry import USER_PREFIX
from explorer.classifiers.user_model_card import UserModelCard
from explorer.classifiers.user_models import add_model, user_models_folder
from explorer.files import write_atomically
from explorer.ui.components.markdown import plain, sentence
from explorer.ui.jobs.job import Job
from explorer.ui.jobs.progress import show_progress
from explorer.ui.jobs.sessions import session_jobs
from explorer.ui.models.add_model_form import FormValues, NewModel, model_form

_WORKER, _PLACE = "models", "add model"
_JOB = "add model job"  # in the session's state
_PYTHON_FUNCTION = """
```python
# my_models.py
from explorer.classifiers import Classifier

def make():
    net = ...  # any torch module that takes normalised images and returns logits
    return Classifier(
        net,
        labels=["cat", "dog"],
        input_size=(224, 224),
        mean=(0.485, 0.456, 0.406),
        std=(0.229, 0.224, 0.225),
    )
```
```sh
EXPLORER_MODELS=my_models.py:make streamlit run explorer/Home.py
python -m explorer attack photo.jpg --model my_models.py:make --epsilon 4/255 --out out
```
"""


def add_model_section() -> None:
    """The form, and the outcome of the last one that was sent."""
    st.markdown(
        "**A state dict** for one of torchvision's architectures, as safetensors or as torch saves "
        "it. Nothing in the file is run: a file that holds more than tensors is refused."
    )
    values, sent = model_form()
    st.caption(
        f"Stored in {plain(str(user_models_folder()))} until it is removed. Everybody who uses "
        "this explorer on this machine can choose it."
    )
    if sent:
        _submit(values)
    _outcome()
    st.divider()
    st.markdown(
        "**A Python function** that returns a classifier, for networks that are not in torchvision:"
    )
    st.markdown(_PYTHON_FUNCTION)


def _submit(values: FormValues) -> None:
    st.session_state.pop(_JOB, None)
    try:
        new_model = values.new_model()
    except ClassifierError as error:
        st.error(sentence(str(error)))
        return
    jobs = session_jobs(_WORKER)
    st.session_state[_JOB] = jobs.submit(_PLACE, object(), partial(_add, new_model))


def _add(new_model: NewModel, job: Job[UserModelCard]) -> UserModelCard:
    if not new_model.file_name:
        return add_model(new_model.card, new_model.path)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"weights{Path(new_model.file_name).suffix}")
        write_atomically(path, new_model.data)
        try:
            return add_model(new_model.card, path)
        except ClassifierError as error:
            raise ClassifierError(str(error).replace(str(path), new_model.file_name)) from None


def _outcome() -> None:
    job: Job[UserModelCard] | None = st.session_state.get(_JOB)
    if job is None:
        return
    card = show_progress(session_jobs(_WORKER), job, _PLACE, _status, keep=False)
    if card is None or not job.done:
        return
    st.success(
        f"Added {plain(card.name)}: {plain(card.architecture)} with {len(card.labels)} classes.",
        icon=":material/check:",
    )
    if st.button("Attack this classifier", key="use new model"):
        st.session_state["model"] = USER_PREFIX + card.name
        st.switch_page("../pages/attack.py")


def _status(job: Job[UserModelCard]) -> str:
    return "Reading the weights and trying the classifier on one image"
