"""The classes of a data set and those of a classifier are brought together one to one."""

from __future__ import annotations

import sys

import pytest

from explorer.datasets.class_names import class_indices
from explorer.datasets.labelled import DataError

LABELS = ("tench", "giant panda", "Cardigan", "crane bird", "cardigan", "crane")


@pytest.fixture(scope="module")
def imagenet() -> tuple[str, ...]:
    from torchvision.models._meta import _IMAGENET_CATEGORIES

    return tuple(_IMAGENET_CATEGORIES)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["cardigan", "Cardigan"], [4, 2]),  # ImageNet's garment, and its dog
        (["Cardigan"], [2]),
        (["giant_panda", "TENCH"], [1, 0]),
        (["tench, Tinca tinca", "giant panda, panda, panda bear"], [0, 1]),
        (["crane_bird", "crane"], [3, 5]),
        (["crane", "tench"], [5, 0]),
    ],
)
def test_the_exact_name_counts_before_others(names, expected):
    assert class_indices(names, LABELS, "a folder") == (expected, None)


def test_a_classifier_with_all_synonyms_is_matched_by_the_first():
    labels = ("tench, Tinca tinca", "goldfish, Carassius auratus")
    assert class_indices(["goldfish", "tench"], labels, "a") == ([1, 0], None)


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["CARDIGAN"], r"the class 'CARDIGAN' of a could be 'Cardigan' \(2\) and 'cardigan' \(4\)"),
        (["tench", "Tench"], "the classes 'tench' and 'Tench' of a would both be 'tench'"),
        (["zebra"], "does not know, such as 'zebra'; it knows tench, giant panda"),
        (["n02123045"], "only classifiers with ImageNet's 1000 classes know; this one has 6"),
        (["0", "6"], "a has a class 6; the classifier has 6, from 0 on"),
        (["1", "01"], "names two classes by the same number"),
    ],
)
def test_what_is_unknown_or_ambiguous_is_refused(names, words):
    with pytest.raises(DataError, match=words):
        class_indices(names, LABELS, "a")


def test_numbers_are_indices():
    indices, note = class_indices(["0", "003", "5"], LABELS, "a")
    assert indices == [0, 3, 5]
    assert note == "classes were matched by their numbers"
    digits = ("nine", *map(str, range(9)))  # here "3" is a name
    assert class_indices(["3", "4"], digits, "a") == ([4, 5], None)


def test_a_classifier_without_names_has_the_classes_in_their_order():
    labels = tuple(f"class {index}" for index in range(3))
    indices, note = class_indices(["ant", "bee", "cow"], labels, "a")
    assert indices == [0, 1, 2]
    assert note == "the classifier's classes have no names: classes were matched by their order"
    with pytest.raises(DataError, match="such as 'ant'"):
        class_indices(["ant", "bee"], labels, "a")


def test_the_places_tell_names_apart_that_imagenet_has_twice(imagenet):
    lemmas = [f"{label.split(' bird')[0]}, another word" for label in imagenet]
    assert lemmas.count("crane, another word") == 2
    assert class_indices(lemmas, imagenet, "a") == (list(range(1000)), None)
    lemmas[0], lemmas[1] = lemmas[1], lemmas[0]
    with pytest.raises(DataError, match="would both be 'crane'"):
        class_indices(lemmas, imagenet, "a")


def test_imagenets_own_names_match_torchvisions(imagenet):
    info = pytest.importorskip("timm.data.imagenet_info").ImageNetInfo("imagenet-1k")
    names = [info.index_to_description(index) for index in range(1000)]
    lemmas = [name.partition(":")[0] if ":" in name else name for name in names]
    assert class_indices(lemmas, imagenet, "a")[0] == list(range(1000))


def test_wordnet_ids_of_some_classes(imagenet):
    pytest.importorskip("timm")
    indices, note = class_indices(["n02123045", "n02510455", "n01440764"], imagenet, "a")
    assert [imagenet[index] for index in indices] == ["tabby", "giant panda", "tench"]
    assert note is None
    with pytest.raises(DataError, match="a has the class n00000001, which is none of ImageNet's"):
        class_indices(["n00000001"], imagenet, "a")


def test_wordnet_ids_without_their_list(imagenet, monkeypatch):
    monkeypatch.setitem(sys.modules, "timm.data.imagenet_info", None)
    with pytest.raises(DataError, match="by WordNet ID, whose list timm has: pip install timm"):
        class_indices(["n02123045"], imagenet, "a")
    whole = [f"n{index:08}" for index in range(1000)]  # all of them, in their order
    assert class_indices(whole, imagenet, "a")[0] == list(range(1000))
