"""Choosing a picture: one of the gallery that suits the classifier, an upload, or a photograph."""

from __future__ import annotations

import io
from functools import cache, lru_cache, partial
from typing import Any

import streamlit as st
from PIL import Image, ImageOps

from explorer.classifiers import Classifier
from explorer.classifiers.packaged import packaged_card
from explorer.images.decode import ImageError
from explorer.images.gallery import KINDS, Sample, samples
from explorer.images.open import GALLERY_PREFIX
from explorer.ui.components.component import component
from explorer.ui.components.images import data_uri
from explorer.ui.shared.address import translate_value
from explorer.ui.shared.link_words import allow
from explorer.ui.shared.own_picture import (
    CAMERA,
    UPLOAD,
    note_linked_source,
    note_shown,
    own_picture,
)
from explorer.ui.shared.picture import Picture

# What a page starts with, by gallery: the bundled classifiers are sure of these pictures.
FIRST_CHOICES = {"cifar10": "cat", "imagenet": "giant panda", "tiny12": "leafhopper"}
THUMBNAIL = 56  # pixels, and twice as many on dense screens
# A sample's label is an index into the classes of its gallery: it means something for a classifier
# only if that has the same classes.
_CLASSES = {"cifar10": 10, "imagenet": 1000, "tiny12": 12}

_thumbnails = component(__file__)


def choose_picture(model: Classifier, page: str = "") -> Picture:
    """The picture that the person chooses; the last one while a file can't be read, which
    :func:`~explorer.ui.shared.own_picture.picture_notice` says.

    ``page`` begins the keys of the widgets and of the state, here and below. Each page has another
    one: Streamlit takes two widgets with one key for the same, on different pages too.
    """
    note_linked_source(f"{page}source", page)
    sources = ["gallery", UPLOAD, CAMERA]
    allow(f"{page}source", sources)
    source = st.segmented_control(
        "Picture",
        sources,
        default="gallery",
        required=True,
        key=f"{page}source",
        bind="query-params",
        persist_state="session",
    )
    own = None if source == "gallery" else own_picture(source, page)
    picture = from_gallery(model, page) if source == "gallery" else own
    if picture is None:
        picture = st.session_state.get(f"{page}picture")
    if picture is None:
        picture = gallery_picture(default_sample(model), model.gallery)
    note_shown(source, own, picture, page)
    st.session_state[f"{page}picture"] = picture
    return picture


def accept_sample_keys(page: str = "") -> None:
    """Let the address name a sample as commands do: ``image=cifar10-00`` for its "ship".

    Call it before the page's widgets.
    """
    translate_value(f"{page}image", _titles_by_key())


@cache
def _titles_by_key() -> dict[str, str]:
    """The title of each sample, by its key with and without the prefix that commands take."""
    every_sample = (sample for kind in KINDS for sample in samples(kind))
    titles = {sample.key: sample.title for sample in every_sample}
    return titles | {GALLERY_PREFIX + key: title for key, title in titles.items()}


def known_label(picture: Picture, model: Classifier) -> int | None:
    """The picture's class in its gallery, or None if the classifier has other classes."""
    same_number = picture.gallery == model.gallery and (
        len(model.labels) == _CLASSES[model.gallery]
    )
    if not same_number or picture.label is None:
        return None
    if model.gallery == "imagenet" and not _is_imagenet_class(model, picture.label):
        return None  # as many classes of one's own
    return picture.label


def _is_imagenet_class(model: Classifier, index: int) -> bool:
    """Whether the class has ImageNet's name; other libraries add synonyms after a comma."""
    name = model.labels[index].partition(",")[0]
    return name.casefold() == packaged_card().labels[index].partition(",")[0].casefold()


def default_sample(model: Classifier) -> Sample:
    """The sample a page starts with. Raises :class:`ImageError` if the gallery is empty."""
    gallery = samples(model.gallery)
    if not gallery:
        raise ImageError(
            "there are no sample pictures: install foolbox or scikit-image, or upload a picture"
        )
    first = FIRST_CHOICES.get(model.gallery)
    return next((sample for sample in gallery if sample.title == first), gallery[0])


@lru_cache(maxsize=64)
def gallery_picture(sample: Sample, gallery: str) -> Picture:
    """A sample of this gallery; its file is read once."""
    name = GALLERY_PREFIX + sample.key
    return Picture(name, sample.title, sample.read(), name, sample.credit, sample.label, gallery)


def from_gallery(model: Classifier, page: str = "") -> Picture:
    """A sample that suits the classifier, chosen by its name or its thumbnail."""
    by_title = {sample.title: sample for sample in samples(model.gallery)}
    titles = list(by_title)
    allow(f"{page}image", titles)
    title = st.selectbox(
        "From the gallery",
        titles,
        index=titles.index(default_sample(model).title),
        key=f"{page}image",
        bind="query-params",
        label_visibility="collapsed",
    )
    _thumbnails(
        key=f"{page}thumbnails",
        data={"chosen": title, "items": [_thumbnail(by_title[name]) for name in titles]},
        on_picked_change=partial(_apply_thumbnail, page),
    )
    picture = gallery_picture(by_title[title], model.gallery)
    st.caption(picture.credit)
    return picture


def _apply_thumbnail(page: str) -> None:
    picked = st.session_state[f"{page}thumbnails"].get("picked")
    if isinstance(picked, str):
        st.session_state[f"{page}image"] = picked


@lru_cache(maxsize=256)
def _thumbnail_uri(sample: Sample) -> str:
    buffer = io.BytesIO()
    square = ImageOps.fit(sample.read(), (2 * THUMBNAIL, 2 * THUMBNAIL), Image.Resampling.BICUBIC)
    square.save(buffer, "WEBP", quality=80)
    return data_uri(buffer.getvalue(), "image/webp")


def _thumbnail(sample: Sample) -> dict[str, Any]:
    return {"title": sample.title, "src": _thumbnail_uri(sample)}
