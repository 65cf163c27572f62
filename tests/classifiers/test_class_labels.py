"""Class names: the forms in which people have them, and how one of them is found."""

from __future__ import annotations

import json

import pytest

from explorer.classifiers import ClassifierError
from explorer.classifiers.class_labels import (
    find_label,
    parse_labels,
    read_labels,
    repeated_note,
)
from explorer.classifiers.packaged import packaged_card


@pytest.mark.parametrize(
    "text",
    [
        "cat\n\n dog \n",
        '["cat", "dog"]',
        '{"0": "cat", "1": "dog"}',
        '{"1": ["n2", "dog"], "0": ["n1", "cat"]}',
    ],
)
def test_labels_in_the_forms_that_people_have(text):
    assert parse_labels(text) == ("cat", "dog")


def test_classes_with_one_name_are_noticed_but_not_imagenets_two_cranes():
    note = repeated_note(["cat"] * 10, "mine")
    assert note.startswith("10 of the 10 classes of mine have a name that another class has too")
    assert "such as 'cat'" in note
    assert "2 of the 3" in repeated_note(["cat", "dog", "dog"], "mine")
    assert repeated_note(["cat", "dog", "frog"], "mine") is None
    assert repeated_note(packaged_card().labels, "efficientnet_lite0") is None


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_file_of_labels_may_have_a_byte_order_mark(tmp_path, encoding):
    path = tmp_path / "labels.txt"
    path.write_bytes("Käfer\ndog\n".encode(encoding))
    assert read_labels(path) == ("Käfer", "dog")


@pytest.mark.parametrize("content", [b"a\0b\nc\0", "Käfer\ndog".encode("latin-1"), bytes(99)])
def test_a_file_that_is_no_text_holds_no_labels(tmp_path, content):
    path = tmp_path / "labels.txt"
    path.write_bytes(content)
    with pytest.raises(ClassifierError, match="must be text in UTF-8; this file is something else"):
        read_labels(path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "at least two"),
        ("cat", "at least two"),
        ('{"0": "cat", "2": "dog"}', "0 to 1, each once"),
        ('{"cat": 0}', "at least two"),
        ('{"0":[', "broken JSON"),
        ('{"cat": "dog", "dog": "cat"}', "map an index"),
        ('{"cat": 0, "dog": 0}', "0 to 1, each once"),
        ("[1, 2]", "list of names"),
        ("17", "list of names"),
        ("[" * 100_000, "list of names"),
        ('["cat", "\\ud800"]', "surrogate"),
        (json.dumps([["a"], ["b"]]), "list of names"),
    ],
)
def test_labels_that_are_refused(text, words):
    with pytest.raises(ClassifierError, match=words):
        parse_labels(text)


@pytest.mark.parametrize(("text", "index"), [("light BROWN", 0), (" dark ", 1), ("1", 1)])
def test_a_label_is_found_by_name_in_any_case_or_by_index(text, index):
    assert find_label(text, ("Light brown", "dark"), "a classifier") == index


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("light", "its classes are Light brown, dark"),
        ("9" * 5000, "classes 0 to 1; there is no 999"),
        ("2", "classes 0 to 1"),
        ("zebra", "its classes are Light brown, dark"),
        ("crane", "2 and 3; give the number"),
    ],
)
def test_a_label_that_is_not_found(text, words):
    labels = ("Light brown", "dark") + (("crane", "crane") if text == "crane" else ())
    with pytest.raises(ClassifierError, match=words):
        find_label(text, labels, "a classifier")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Class 7", None),
        ("clas 77", "did you mean class 77"),
        ("7x", "models --classes MODEL lists all 100"),
    ],
)
def test_of_many_labels_the_nearest_are_named_and_where_all_are(text, words):
    labels = [f"class {index}" for index in range(100)]
    if words is None:
        assert find_label(text, labels, "it") == 7
        return
    with pytest.raises(ClassifierError, match=words) as error:
        find_label(text, labels, "it")
    assert str(error.value).count("class ") < 8


def test_a_text_of_megabytes_is_no_list_of_labels():
    with pytest.raises(ClassifierError, match=r"2,000,002 characters; at most 2,000,000 are read"):
        parse_labels("a\n" * 1_000_001)
