"""The tour without a browser: from stop to stop, and what its address keeps."""

from __future__ import annotations

from typing import Any

import pytest

from explorer.ui.overview.questions import SHOW
from explorer.ui.overview.stops import STOPS
from tests.ui.app import open_page
from tests.ui.overview.tour import (
    answer,
    cards,
    choose,
    click,
    is_pending,
    open_stop,
    texts,
    title,
)


@pytest.mark.parametrize("stop", STOPS, ids=lambda stop: stop.module)
def test_a_stop_has_one_sentence_and_one_question_that_is_not_answered_yet(stop: Any) -> None:
    at = open_stop(stop.number)
    assert not at.error
    assert title(at) == stop.title
    assert stop.sentence in texts(at)
    questions = [
        item for item in at.get("button_group") if (item.key or "").startswith("tour_answer_")
    ]
    assert len(questions) == 1
    assert questions[0].options[-1] == SHOW
    assert is_pending(at)
    assert "✓" not in texts(at)
    at = answer(at, questions[0].key.removeprefix("tour_answer_"))
    assert not is_pending(at)
    assert not at.error


def test_buttons_and_the_list_of_stops_go_through_the_tour() -> None:
    at = open_page()
    assert at.button(key="tour_previous").disabled
    at = click(at, "tour_next")
    assert title(at) == STOPS[1].title
    at = choose(at, "stop", "7")
    assert title(at) == STOPS[6].title
    assert at.button(key="tour_next").disabled
    at = click(at, "tour_previous")
    assert title(at) == STOPS[5].title


def test_only_the_open_stop_computes() -> None:
    at = open_stop(5)
    assert "result tour robust True" in at.session_state
    others = ("overview", "overview one step", "tour epsilon", "tour attack", "tour transfer")
    assert not any(f"result {place}" in at.session_state for place in others)


def test_an_answer_stays_while_other_stops_are_open() -> None:
    at = answer(open_stop(4), "noise")
    at = click(click(at, "tour_next"), "tour_previous")
    assert title(at) == STOPS[3].title
    assert not is_pending(at)


def test_without_a_robust_classifier_a_stop_says_what_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from explorer.ui.overview import example

    known = {name: entry for name, entry in example.entries().items() if not entry.robust}
    monkeypatch.setattr(example, "entries", lambda: known)
    at = open_stop(5)
    assert "needs a standard and a robust classifier" in at.error[0].value
    assert [item.value for item in at.title] == [STOPS[4].title]
    assert at.button(key="tour_next")
    at = click(at, "tour_previous")
    assert cards(at)[0]["title"] == "original"


def test_a_stop_that_does_not_exist_is_the_first_one() -> None:
    for number in ("9", "0", "two"):
        assert title(open_page(stop=number)) == STOPS[0].title


def test_the_presenters_mode_is_in_the_address_and_answers_keys() -> None:
    at = open_stop(2, present="true")
    assert at.toggle(key="present").value
    names = [item.proto.component_name for item in at.get("bidi_component")]
    assert "explorer.presenter" in names
    at.toggle(key="present").set_value(False).run()
    names = [item.proto.component_name for item in at.get("bidi_component")]
    assert "explorer.presenter" not in names


@pytest.mark.parametrize("asked", ["99", "abc"])
def test_a_stop_that_there_is_not_is_named(asked: str) -> None:
    at = open_page(stop=asked)
    assert title(at) == STOPS[0].title
    (warning,) = at.warning
    assert f"stop={asked}" in warning.value
    at = click(at, "tour_next")
    assert not at.warning


@pytest.mark.parametrize(
    ("stop", "address"),
    [
        (2, {"tour_pixel": "10-20", "tour_guess_step": "1"}),
        (3, {"tour_levels": "2.25", "tour_guess_epsilon": "4"}),
        (4, {"tour_noise": "3", "tour_guess_noise": "2"}),
        (5, {"tour_epsilon": "16/255"}),
        (6, {"tour_view": "change from its start"}),
        (7, {"tour_transfer": "4/255"}),
    ],
)
def test_the_address_restores_a_stop_and_keeps_what_was_chosen(
    stop: int, address: dict[str, str]
) -> None:
    at = open_stop(stop, **address)
    assert not at.warning
    assert at.query_params == {"stop": str(stop), **address}
    assert is_pending(at) == (not any("guess" in key for key in address))
    other = "tour_previous" if stop == len(STOPS) else "tour_next"
    back = "tour_next" if stop == len(STOPS) else "tour_previous"
    at = click(at, other)
    assert not set(address) & set(at.query_params)  # they are of the other stop
    at = click(at, back)
    assert at.query_params == {"stop": str(stop), **address}


def test_other_noise_and_another_epsilon_are_in_the_address_at_once() -> None:
    first = open_stop(4)
    at = click(first, "other_noise")
    assert at.query_params["tour_noise"] == "1"
    again = open_stop(4, tour_noise="1")
    names = [[card["src"] for card in cards(each)] for each in (at, again)]
    assert names[0] == names[1]


def test_a_stop_names_what_it_can_not_show() -> None:
    at = open_stop(2, tour_pixel="5000-1", tour_guess_step="7")
    (warning,) = at.warning
    assert "possible: a whole number from 1 to 3" in warning.value
    assert "5000" in warning.value
    assert is_pending(at)
