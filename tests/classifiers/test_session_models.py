"""Models of one session: within the limits, unknown to other sessions, and gone when it ends."""

from __future__ import annotations

import errno
import gc
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torchvision.models import mobilenet_v3_small

from explorer.classifiers import ClassifierError, session_models
from explorer.classifiers.entry import SESSION_GROUP
from explorer.classifiers.session_models import SessionModels
from explorer.classifiers.user_model_card import UserModelCard
from explorer.classifiers.user_models import UserModels, machine_models, user_entries

CARD = UserModelCard("mine", "mobilenet_v3_small", ("ant", "bee"), input_size=32, resize=32)
SIZE = 5.8  # MB of this network
pytestmark = pytest.mark.usefixtures("cache")


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "w.safetensors"
    save_file(mobilenet_v3_small(weights=None, num_classes=2).eval().state_dict(), path)
    return path


@pytest.fixture
def session():
    models = SessionModels()
    yield models
    models.close()


def admit(size: int) -> None: ...


def named(name: str) -> UserModelCard:
    return replace(CARD, name=name)


def files(cache: Path) -> list[Path]:
    return [path for path in cache.rglob("*") if path.is_file()]


def test_a_model_belongs_to_its_session_and_goes_with_it(cache, weights, session):
    session.add(CARD, weights, admit)
    other = SessionModels()
    (entry,) = session.entries()
    assert (entry.name, entry.group) == ("user:mine", SESSION_GROUP)
    assert UserModels(entry.where.parents[1]).load("mine", torch.device("cpu")).labels[0] == "ant"
    assert other.entries() == user_entries() == ()
    with pytest.raises(ClassifierError, match="you have added no classifier mine"):
        other.remove("mine")
    other.add(CARD, weights, admit)  # under the same name
    other.close()
    assert session.entries() == (entry,)
    session.close()
    assert files(cache) == []
    assert session.entries() == ()
    with pytest.raises(ClassifierError, match="your session has ended"):
        session.add(CARD, weights, admit)
    assert files(cache) == []


def test_a_model_of_very_many_classes_is_refused(cache, weights, session):
    labels = tuple(map(str, range(25_001)))
    with pytest.raises(ClassifierError, match=r"up to 25,000 classes; this one has 25,001"):
        session.check(replace(CARD, labels=labels))


def test_a_session_that_ends_while_a_model_is_tried_out_keeps_nothing(cache, weights, session):
    with pytest.raises(ClassifierError, match="your session has ended"):
        session.add(CARD, weights, lambda size: session.close())
    assert files(cache) == []


def take_all_but(limit: int, weights: Path) -> None:
    """Two models, of which a server with this limit in MB has no room for the second."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EXPLORER_SERVER_MODELS_MB", str(limit))
        first, second = SessionModels(), SessionModels()
        try:
            first.add(CARD, weights, admit)
            second.add(CARD, weights, admit)
        finally:
            first.close()
            second.close()


def test_a_session_that_nobody_refers_to_leaves_no_file(cache, weights):
    models = SessionModels()
    models.add(CARD, weights, admit)
    assert files(cache)
    del models
    gc.collect()
    assert files(cache) == []


@pytest.mark.parametrize(
    ("setting", "value", "words"),
    [
        ("SESSION_MODELS", "1", "a visitor may have 1 model at a time; remove one first"),
        (
            "SESSION_MODELS_MB",
            "10",
            rf"these weights take {SIZE} MB, and of the 10 MB that a visitor may use on this "
            r"server 4\.2 MB are left; add a smaller network, or remove a model first",
        ),
        (
            "SERVER_MODELS_MB",
            "10",
            rf"these weights take {SIZE} MB, and of the 10 MB for the models of all visitors "
            r"4\.2 MB are left; add a smaller network, or try again later",
        ),
    ],
)
def test_a_limit_is_one_sentence_and_what_is_removed_no_longer_counts(
    setting, value, words, cache, weights, session, monkeypatch
):
    monkeypatch.setenv(f"EXPLORER_{setting}", value)
    session.add(named("first"), weights, admit)
    with pytest.raises(ClassifierError, match=words):
        session.add(named("second"), weights, admit)
    assert [entry.title for entry in session.entries()] == ["first"]
    session.remove("first")
    assert files(cache) == []
    session.add(named("second"), weights, admit)


def test_the_limit_of_all_sessions_is_one_for_all(weights, session):
    with pytest.raises(ClassifierError, match="for the models of all visitors"):
        take_all_but(10, weights)
    session.add(CARD, weights, admit)  # those sessions are closed and count no longer


def test_a_small_file_for_a_large_network_is_refused_before_the_network_is_built(
    tmp_path, session, monkeypatch
):
    monkeypatch.setattr(
        "explorer.classifiers.user_models.build_user_model",
        lambda *_: pytest.fail("it was built"),
    )
    save_file({"x": torch.zeros(1)}, tmp_path / "w.safetensors")
    card = UserModelCard("big", "regnet_y_128gf")
    with pytest.raises(ClassifierError, match=r"these weights take 24\d\d\.\d MB, and of the 600"):
        session.add(card, tmp_path / "w.safetensors", admit)


def test_a_large_input_is_refused(weights, session):
    with pytest.raises(ClassifierError, match="side may be up to 512 pixels; it is 513"):
        session.add(replace(CARD, input_size=513, resize=513), weights, admit)


def test_a_name_of_this_machine_is_taken(weights, session):
    machine_models().add(CARD, weights)
    for name in ("mine", "MINE"):
        with pytest.raises(ClassifierError, match="already a classifier named mine"):
            session.add(named(name), weights, admit)
    session.add(named("other"), weights, admit)
    with pytest.raises(ClassifierError, match="already a classifier named other"):
        session.add(named("other"), weights, admit)
    with pytest.raises(ClassifierError):
        session.remove("mine")
    assert "mine" in machine_models().cards()


def test_weights_that_are_refused_take_nothing_of_the_limits(weights, session, monkeypatch):
    monkeypatch.setenv("EXPLORER_SESSION_MODELS", "1")
    with pytest.raises(ClassifierError, match="there are 3 labels"):
        session.add(replace(CARD, labels=("a", "b", "c")), weights, admit)
    session.add(CARD, weights, admit)


@pytest.mark.parametrize(
    ("code", "words"),
    [(errno.ENOSPC, "its disk is full"), (errno.EROFS, "it can't write its folder")],
)
def test_a_server_that_cannot_store_says_so_without_its_folders(
    code, words, cache, weights, session, monkeypatch
):
    def fail(*_: object) -> None:
        raise OSError(code, "no", str(cache))

    monkeypatch.setattr(session_models, "temporary_folder", fail)
    with pytest.raises(ClassifierError, match=words) as caught:
        session.add(CARD, weights, admit)
    assert str(cache) not in str(caught.value)
