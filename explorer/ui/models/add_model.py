"""Add a classifier: weights for an architecture, or a Python function; and timm's models."""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path

import streamlit as st

from explorer.classifiers import ClassifierError
from explorer.classifiers.class_labels import repeated_note
from explorer.classifiers.entry import USER_PREFIX
from explorer.classifiers.session_models import SessionModels
from explorer.classifiers.torchvision_models import INCEPTIONS
from explorer.classifiers.user_model_card import UserModelCard
from explorer.classifiers.user_models import UserModels
from explorer.files import write_atomically
from explorer.ui.components.errors import report_errors
from explorer.ui.components.markdown import plain, sentence
from explorer.ui.jobs.job import Job
from explorer.ui.jobs.progress import show_progress
from explorer.ui.jobs.sessions import session_jobs
from explorer.ui.models.add_model_form import FormValues, NewModel, model_form
from explorer.ui.models.attack_button import attack_button
from explorer.ui.models.own_models import ADDED, own_models, where_stored
from explorer.ui.shared.classifiers import MODEL_CACHE, entries
from explorer.ui.shared.mode import is_public
from explorer.ui.shared.uploads import forget_upload

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

_TIMM = """
```sh
python -m explorer attack photo.jpg --model timm:resnet50.a1_in1k --epsilon 4/255 --out out
python -m explorer attack photo.jpg --model timm:hf-hub:ORG/NAME --epsilon 4/255 --out out
```
"""


def add_model_section() -> None:
    """The form or, once a classifier has been added, what it became."""
    card: UserModelCard | None = st.session_state.get(ADDED)
    if card is not None and USER_PREFIX + card.name not in entries():
        del st.session_state[ADDED]
        st.warning(
            f"{plain(card.name)} is no longer here: it was removed, or went when the connection of "
            "this page broke. Add it again."
        )
    elif card is not None:
        _show_added(card)  # alone, so that it is in view wherever the page was scrolled to
        return
    _show_form()
    if not is_public():
        st.divider()
        st.markdown(
            "**A Python function** that returns a classifier, for networks that are not in "
            "torchvision:"
        )
        st.markdown(_PYTHON_FUNCTION)
        st.caption(
            "The file may import its neighbours. Labels may also be a dictionary from index to "
            "name, or a file. For grey images give one value: mean=(0.5,), std=(0.5,). If the "
            'network ends with a softmax, add outputs="probabilities" here, or write the name as '
            "my_models.py:make:probabilities."
        )
        st.markdown(
            "**timm's models and those on the Hugging Face Hub** have names for the command line, "
            "and for such a function: `from explorer.classifiers import load`, then "
            '`return load("timm:NAME")`. They are downloaded when they are first used.'
        )
        st.markdown(_TIMM)


def _show_form() -> None:
    st.markdown(
        "**Weights** for torchvision's architectures, or for RobustBench's and MadryLab's for "
        "CIFAR (type “cifar”). Nothing in the file is run."
    )
    st.caption(where_stored())
    values, sent, outcome = model_form()
    with outcome, report_errors():
        if sent:
            _submit(values)
        _follow(values)


def _submit(values: FormValues) -> None:
    st.session_state.pop(_JOB, None)
    new_model, models = values.new_model(), own_models()
    models.check(new_model.card)
    jobs = session_jobs(_WORKER)
    st.session_state[_JOB] = jobs.submit(_PLACE, object(), partial(_add, models, new_model))


def _add(
    models: UserModels | SessionModels, new_model: NewModel, job: Job[UserModelCard]
) -> UserModelCard:
    make_room = MODEL_CACHE.make_room
    if not new_model.file_name:
        return models.add(new_model.card, new_model.path, make_room, job.cancelled)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"weights{Path(new_model.file_name).suffix}")
        write_atomically(path, new_model.data)
        try:
            return models.add(new_model.card, path, make_room, job.cancelled)
        except ClassifierError as error:
            raise ClassifierError(str(error).replace(str(path), new_model.file_name)) from None


def _follow(values: FormValues) -> None:
    """Show the progress and the error of the last submission; when it is added, leave the form."""
    job: Job[UserModelCard] | None = st.session_state.get(_JOB)
    if job is None:
        return
    jobs = session_jobs(_WORKER)
    card = show_progress(jobs, job, _PLACE, _status, keep=False)
    if card is None or not job.done:
        return
    st.session_state[ADDED] = card
    # The upload is in memory as long as the server, the job or the form has it.
    jobs.cancel(_PLACE)
    del st.session_state[_JOB]
    if values.weights is not None:
        forget_upload(values.weights)
    st.rerun()


def _show_added(card: UserModelCard) -> None:
    st.success(
        f"Added {plain(card.name)}: {plain(card.architecture)} with {len(card.labels)} classes."
        + said_of_input(card),
        icon=":material/check:",
    )
    if note := repeated_note(card.labels, card.name):
        st.warning(sentence(note), icon=":material/warning:")
    with st.container(horizontal=True):
        attack_button(USER_PREFIX + card.name, "use new model", type="primary", width="content")
        st.button("Add another", icon=":material/add:", key="add another", on_click=_leave)


def said_of_input(card: UserModelCard) -> str:
    """Markdown: how the model gets its images, where that can be chosen."""
    if card.architecture not in INCEPTIONS:
        return ""
    if card.transform_input:
        return (
            " It gets its images as torchvision’s published weights do (transform_input). If it "
            "was trained from scratch, remove it and add it without that."
        )
    return " It gets its images as they are normalised, without transform_input."


def _leave() -> None:
    del st.session_state[ADDED]


def _status(job: Job[UserModelCard]) -> str:
    return "Reading the weights and trying the classifier on one image"
