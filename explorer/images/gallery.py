"""Sample pictures that Foolbox and scikit-image bring, read from disk without importing either."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from PIL import Image

from explorer.errors import did_you_mean, short
from explorer.files import ASSETS
from explorer.images.decode import ImageError
from explorer.images.read import read_image

KINDS = ("cifar10", "imagenet", "tiny12")

CIFAR10_NAMES = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)
# The classes of Foolbox's samples by ImageNet index, named as in torchvision, which takes 2 s to
# import.
IMAGENET_NAMES = {
    22: "bald eagle",
    99: "goose",
    129: "spoonbill",
    243: "bull mastiff",
    251: "dalmatian",
    305: "dung beetle",
    317: "leafhopper",
    388: "giant panda",
    438: "beaker",
    455: "bottlecap",
    471: "cannon",
    541: "drum",
    559: "folding chair",
    609: "jeep",
    630: "Loafer",
    741: "prayer rug",
    853: "thatch",
    915: "yurt",
    949: "strawberry",
    990: "buckeye",
}
TINY12_CLASSES = (
    "dog",
    "cat",
    "big cat",
    "bear",
    "primate",
    "hoofed mammal",
    "bird",
    "frog",
    "insect",
    "car",
    "bus or train",
    "fruit",
)
# The samples that show one of TINY12_CLASSES, by ImageNet index and by key.
_TINY12_BY_IMAGENET = {
    22: "bird",
    99: "bird",
    129: "bird",
    243: "dog",
    251: "dog",
    305: "insect",
    317: "insect",
    609: "car",
    949: "fruit",
}
_TINY12_BY_KEY = {"chelsea": "cat"}
PANDA = 388  # its ImageNet index
_PANDA_PATH = ASSETS / "panda" / "panda.jpg"
_CREDITS = {
    "cifar10": "CIFAR-10 (Krizhevsky 2009), from Foolbox",
    "imagenet": "ImageNet, from Foolbox",
}
_SCIKIT_IMAGE = (
    ("chelsea", "chelsea.png", "Chelsea the cat", "Stéfan van der Walt, CC0, from scikit-image"),
    ("coffee", "coffee.png", "cup of coffee", "Rachel Michetti, CC0, from scikit-image"),
    ("rocket", "rocket.jpg", "rocket", "SpaceX, public domain, from scikit-image"),
)


@dataclass(frozen=True)
class Sample:
    """A sample picture.

    ``key`` names it in recipes and links. ``label`` is its class index in the data set that it was
    requested for (CIFAR-10, ImageNet or tiny12), None if it shows none of those classes.
    """

    key: str
    title: str
    credit: str
    path: Path
    label: int | None = None

    def read(self) -> Image.Image:
        """The picture, 8-bit RGB in its own size. Raises :class:`ImageError` if it is missing."""
        return read_image(self.path).image


@cache
def samples(kind: str) -> tuple[Sample, ...]:
    """The samples for classifiers of ``kind``, one of :data:`KINDS`.

    Foolbox's and scikit-image's are left out if these packages are not installed.
    """
    if kind not in KINDS:
        raise ValueError(f"unknown kind {kind!r}: it is one of {', '.join(KINDS)}")
    if kind == "cifar10":
        return _foolbox(kind)
    if kind == "imagenet":
        return _panda() + _foolbox(kind) + _scikit_image()
    classes = ((item, _tiny12_class(item)) for item in samples("imagenet"))
    return tuple(replace(item, label=TINY12_CLASSES.index(name)) for item, name in classes if name)


def sample(key: str) -> Sample:
    """The sample with this key, e.g. "cifar10-00" or "coffee".

    Raises :class:`ImageError` if there is none.
    """
    by_key = {item.key: item for kind in ("cifar10", "imagenet") for item in samples(kind)}
    if key not in by_key:
        titled = [item.key for item in by_key.values() if key.casefold() == item.title.casefold()]
        near = f"did you mean {titled[0]}?" if titled else did_you_mean(key, by_key)
        where = f"python -m explorer gallery lists all {len(by_key)}"
        hint = f"{near} ({where})" if near else where
        raise ImageError(f"the gallery has no picture {short(key)!r}; {hint}")
    return by_key[key]


def _tiny12_class(item: Sample) -> str | None:
    label = -1 if item.label is None else item.label
    return _TINY12_BY_KEY.get(item.key) or _TINY12_BY_IMAGENET.get(label)


def _data_folder(package: str) -> Path | None:
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0]) / "data"


def _foolbox(kind: str) -> tuple[Sample, ...]:
    """Foolbox names its files ``KIND_NUMBER_LABEL``. Its second jeep is titled "jeep 2"."""
    folder = _data_folder("foolbox")
    if folder is None:
        return ()
    names = dict(enumerate(CIFAR10_NAMES)) if kind == "cifar10" else IMAGENET_NAMES
    pictures: list[Sample] = []
    counts: dict[str, int] = {}
    for path in sorted(folder.glob(f"{kind}_[0-9][0-9]_*.*")):
        _, number, label = path.stem.split("_")
        name = names.get(int(label), f"class {label}")
        counts[name] = counts.get(name, 0) + 1
        title = name if counts[name] == 1 else f"{name} {counts[name]}"
        pictures.append(Sample(f"{kind}-{number}", title, _CREDITS[kind], path, int(label)))
    return tuple(pictures)


def _panda() -> tuple[Sample, ...]:
    """The rendered panda, in place of the photograph that made adversarial examples famous."""
    credit = "not a photograph: rendered by this project's assets/panda/render.py"
    panda = Sample("panda", IMAGENET_NAMES[PANDA], credit, _PANDA_PATH, PANDA)
    return (panda,) if _PANDA_PATH.is_file() else ()


def _scikit_image() -> tuple[Sample, ...]:
    folder = _data_folder("skimage")
    if folder is None:
        return ()
    pictures = (
        Sample(key, title, credit, folder / file) for key, file, title, credit in _SCIKIT_IMAGE
    )
    return tuple(picture for picture in pictures if picture.path.is_file())
