"""Sample pictures that come with packages the explorer depends on: found on disk, without importing those packages."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from PIL import Image

from explorer.images.decode import ImageError, read

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
# The classes of Foolbox's samples, by ImageNet index, as torchvision names them: its list would cost 2 s to import.
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
# The samples that show one of the twelve classes of the tiny12 classifiers, by key, with the index of that class.
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
PANDA = 388  # ImageNet's index
_PANDA = Path(__file__).resolve().parents[2] / "assets" / "panda" / "panda.jpg"
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
    """A sample picture. ``key`` names it in recipes and links; ``label`` is its class among those of the kind it was asked
    for (CIFAR-10's, ImageNet's, the twelve of tiny12), if it has one."""

    key: str
    title: str
    credit: str
    path: Path
    label: int | None = None

    def read(self) -> Image.Image:
        """The picture, 8-bit RGB in its own size. Raises :class:`ImageError` when the file is gone."""
        return read(self.path).image


@cache
def samples(kind: str) -> tuple[Sample, ...]:
    """The samples that suit a classifier of this kind, one of :data:`KINDS`; none when the packages are not installed."""
    if kind not in KINDS:
        raise ValueError(f"unknown kind {kind!r}: it is one of {', '.join(KINDS)}")
    if kind == "tiny12":
        named = ((item, _tiny12_class(item)) for item in samples("imagenet"))
        return tuple(
            replace(item, label=TINY12_CLASSES.index(name))
            for item, name in named
            if name is not None
        )
    found = _foolbox(kind)
    return _panda() + found + _scikit_image() if kind == "imagenet" else found


def sample(key: str) -> Sample:
    """The sample with this key, e.g. "cifar10-00" or "coffee". Raises :class:`ImageError` for any other."""
    known = {item.key: item for kind in ("cifar10", "imagenet") for item in samples(kind)}
    if key not in known:
        some = (
            f"use one of {', '.join(known)}"
            if known
            else "install foolbox or scikit-image, which bring the samples"
        )
        raise ImageError(f"the gallery has no picture {key!r}; {some}.")
    return known[key]


def _tiny12_class(item: Sample) -> str | None:
    return _TINY12_BY_KEY.get(item.key) or _TINY12_BY_IMAGENET.get(
        -1 if item.label is None else item.label
    )


def _data_folder(package: str) -> Path | None:
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0]) / "data"


def _foolbox(kind: str) -> tuple[Sample, ...]:
    """Foolbox names its files ``KIND_NUMBER_LABEL``. The second jeep is titled "jeep 2"."""
    folder = _data_folder("foolbox")
    if folder is None:
        return ()
    found: list[Sample] = []
    counts: dict[str, int] = {}
    for path in sorted(folder.glob(f"{kind}_[0-9][0-9]_*.*")):
        _, number, text = path.stem.split("_")
        label = int(text)
        name = (
            CIFAR10_NAMES[label]
            if kind == "cifar10"
            else IMAGENET_NAMES.get(label, f"class {label}")
        )
        counts[name] = counts.get(name, 0) + 1
        title = name if counts[name] == 1 else f"{name} {counts[name]}"
        found.append(Sample(f"{kind}-{number}", title, _CREDITS[kind], path, label))
    return tuple(found)


def _panda() -> tuple[Sample, ...]:
    """Drawn by a program of ours, for the picture that made adversarial examples famous."""
    credit = "not a photograph: rendered by this project's assets/panda/render.py"
    return (
        (Sample("panda", IMAGENET_NAMES[PANDA], credit, _PANDA, PANDA),) if _PANDA.is_file() else ()
    )


def _scikit_image() -> tuple[Sample, ...]:
    folder = _data_folder("skimage")
    if folder is None:
        return ()
    every = (
        Sample(key, title, credit, folder / file) for key, file, title, credit in _SCIKIT_IMAGE
    )
    return tuple(item for item in every if item.path.is_file())
