"""Choosing a picture: one of the gallery that suits the classifier, an upload, or a photograph."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

import streamlit as st
from PIL import Image, ImageOps

from explorer.classifiers import Classifier
from explorer.classifiers.packaged import packaged_card
from explorer.images import isolated
from explorer.images.decode import ImageError
from explorer.images.formats import FORMATS_TEXT
from explorer.images.gallery import Sample, samples
from explorer.images.open import GALLERY_PREFIX, UPLOAD_PREFIX
from explorer.ui.components.component import component
from explorer.ui.components.images import data_uri
from explorer.ui.components.markdown import plain, sentence
from explorer.ui.shared.picture import Picture
from explorer.ui.shared.uploads import PICTURE, UploadError

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile

# What a page starts with, by gallery: the bundled classifiers are sure of these pictures.
FIRST_CHOICES = {"cifar10": "cat", "imagenet": "giant panda", "tiny12": "leafhopper"}
THUMBNAIL = 56  # pixels, and twice as many on dense screens
# A sample's label is an index into the classes of its gallery: it means something for a classifier
# only if that has the same classes.
_CLASSES = {"cifar10": 10, "imagenet": 1000, "tiny12": 12}

_thumbnails = component(__file__)


def choose_picture(model: Classifier, page: str = "") -> Picture:
    """The picture that the person chooses; the last one while a file can't be read.

    ``page`` begins the keys of the widgets and of the state, here and below. Each page has another
    one: Streamlit takes two widgets with one key for the same, on different pages too.
    """
    source = st.segmented_control(
        "Picture",
        ["gallery", *_OWN],
        default="gallery",
        required=True,
        key=f"{page}source",
        bind="query-params",
        persist_state="session",
    )
    picture = _OWN[source](page) if source in _OWN else from_gallery(model, page)
    if picture is None:
        picture = st.session_state.get(f"{page}picture")
    if picture is None:
        picture = gallery_picture(default_sample(model), model.gallery)
        st.caption(f"Until then the page shows “{plain(picture.title)}” of the gallery.")
    st.session_state[f"{page}picture"] = picture
    return picture


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
            "There are no sample pictures: install foolbox or scikit-image, or upload a picture."
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


def from_upload(page: str = "") -> Picture | None:
    """The last uploaded picture that could be read, or None. Shows what is wrong with a file."""
    file = PICTURE.field(f"A picture of your own: {FORMATS_TEXT}", f"{page}upload", hidden=True)
    if file is None:
        st.caption(f"{FORMATS_TEXT}.")
    return _last_readable(f"{page}uploaded", file, "A file")


def from_camera(page: str = "") -> Picture | None:
    """The last photograph taken with the camera of the visitor's device, or None.

    The browser asks for permission, and says so if there is no camera.
    """
    file = st.camera_input("A photograph", key=f"{page}camera", label_visibility="collapsed")
    return _last_readable(f"{page}photographed", file, "A photograph", name="photograph.jpg")


_OWN: dict[str, Callable[[str], Picture | None]] = {"upload": from_upload, "camera": from_camera}


def _last_readable(
    key: str, file: UploadedFile | None, what: str, name: str | None = None
) -> Picture | None:
    """The last picture that could be read, which the session's state has under ``key``: that in
    ``file``, or else an earlier one.

    ``what`` the file is begins a sentence; ``name`` is used in place of the file's.
    """
    state, file_key, error_key = st.session_state, f"{key} file", f"{key} error"
    if file is None:
        isolated.warm()
        st.caption(f"{what} stays in the memory of this machine and is never written to a disk.")
    elif state.get(file_key) != file.file_id:
        state.update({file_key: file.file_id, error_key: ""})
        try:
            state[key] = _read(name or file.name, PICTURE.read(file))
        except (ImageError, UploadError) as error:
            state[error_key] = str(error)
    picture: Picture | None = state.get(key)
    if file is not None and state[error_key]:
        st.error(sentence(state[error_key]))
    elif file is not None and picture is not None and picture.notes:
        st.caption(" ".join(sentence(note) for note in picture.notes))
    return picture


def _read(name: str, data: bytes) -> Picture:
    decoded = isolated.decode_isolated(data, name)
    digest = hashlib.sha256(data).hexdigest()
    return Picture(UPLOAD_PREFIX + name, name, decoded.image, digest, notes=decoded.notes)
